// A first client in Go: it logs in, shows the backlog, sends a message, loses its stream, resumes, and is refused once.
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	chat "example.org/parley/gen/parley/chat/v1"
)

func main() {
	log.SetFlags(0)
	address := flag.String("address", "localhost:12000", "HOST:PORT of the server")
	certificate := flag.String("cert", "server.pem", "the server's certificate, from parley-server cert")
	user := flag.String("user", "yoda", "the user; PARLEY_PASSWORD has the password")
	to := flag.String("to", "luke", "the recipient")
	talk := flag.Bool("talk", false, "sends each line of the input instead, \"@luke hello\" to luke, and shows events")
	transcript := flag.String("transcript", "", "replays a file of ../../transcripts instead, and prints the outcome")
	flag.Parse()
	if *transcript != "" {
		if err := replay(*transcript); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(*address, *certificate, *user, *to, *talk); err != nil {
		log.Fatal(err)
	}
}

func run(address, certificate, user, to string, talk bool) error {
	pem, err := os.ReadFile(certificate)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return errors.New(certificate + " has no certificate")
	}
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, "")))
	if err != nil {
		return err
	}
	defer connection.Close()

	login, err := chat.NewAuthServiceClient(connection).LogIn(context.Background(), &chat.LogInRequest{
		Username: user,
		Password: os.Getenv("PARLEY_PASSWORD"),
		Client:   &chat.ClientInfo{Name: "parley example in Go"},
	})
	if err != nil {
		return explained("log in", err)
	}
	// The token is sent in the metadata of each call.
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+login.Grant.Token)
	client := &client{chat: chat.NewChatServiceClient(connection), reader: newReader(func(line string) { fmt.Println(line) })}

	if talk {
		return client.talk(ctx, os.Stdin)
	}

	// The first stream: the backlog, one message, and its ack.
	if err := client.session(ctx, func(stream *stream) error {
		return stream.send(&chat.SendMessageRequest{
			ClientMessageId: 1,
			Target:          &chat.Target{Target: &chat.Target_Username{Username: to}},
			Content:         text("hello from Go"),
		})
	}); err != nil {
		return err
	}
	// Without a stream, new entries stay in the log. This message is sent by a unary call.
	if _, err := client.chat.SendMessage(ctx, &chat.SendMessageRequest{
		ClientMessageId: 2,
		Target:          &chat.Target{Target: &chat.Target_Username{Username: to}},
		Content:         text("sent while the stream was down"),
	}); err != nil {
		return explained("send", err)
	}
	// The second stream resumes from the cursors, and its message is refused.
	return client.session(ctx, func(stream *stream) error {
		return stream.send(&chat.SendMessageRequest{
			ClientMessageId: 3,
			Target:          &chat.Target{Target: &chat.Target_Username{Username: "nobody at all"}},
			Content:         text("hello?"),
		})
	})
}

type client struct {
	chat   chat.ChatServiceClient
	reader *reader
}

type stream struct {
	calls grpc.BidiStreamingClient[chat.ConnectRequest, chat.ConnectResponse]
}

// session opens a stream from the cursors, shows the backlog, and runs `work` when it has caught up. It returns when the
// command that `work` sent is answered.
func (c *client) session(ctx context.Context, work func(*stream) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	calls, err := c.chat.Connect(ctx)
	if err != nil {
		return explained("connect", err)
	}
	hello := &chat.Hello{Client: &chat.ClientInfo{Name: "parley example in Go"}}
	for conversation, seq := range c.reader.cursors {
		hello.Cursors = append(hello.Cursors, &chat.Cursor{ConversationId: conversation, Seq: seq})
	}
	stream := &stream{calls}
	if err := stream.command(&chat.Command{Kind: &chat.Command_Hello{Hello: hello}}); err != nil {
		return err
	}
	for {
		frame, err := calls.Recv()
		if err != nil {
			return explained("read", err)
		}
		for _, event := range frame.Events {
			c.reader.take(event)
			switch event.Kind.(type) {
			case *chat.Event_CaughtUp:
				if err := work(stream); err != nil {
					return err
				}
			case *chat.Event_Ack, *chat.Event_Refused:
				return nil
			}
		}
	}
}

func (s *stream) send(send *chat.SendMessageRequest) error {
	return s.command(&chat.Command{Kind: &chat.Command_SendMessage{SendMessage: send}})
}

func (s *stream) command(command *chat.Command) error {
	return s.calls.Send(&chat.ConnectRequest{Commands: []*chat.Command{command}})
}

func text(text string) *chat.Content {
	return &chat.Content{Kind: &chat.Content_Text{Text: text}}
}

// explained adds the reason of a refusal to its message. Programs use the reason, and people read the message.
func explained(what string, err error) error {
	refusal := status.Convert(err)
	for _, detail := range refusal.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return fmt.Errorf("%s: %s (%s)", what, refusal.Message(), info.Reason)
		}
	}
	return fmt.Errorf("%s: %s", what, refusal.Message())
}
