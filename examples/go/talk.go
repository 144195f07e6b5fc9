package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	chat "example.org/parley/gen/parley/chat/v1"
)

// talk keeps a stream open and shows what comes, until the input ends. Each line of it is said: "@luke hello" to luke, and
// "hello" to everyone.
func (c *client) talk(ctx context.Context, input io.Reader) error {
	calls, err := c.chat.Connect(ctx)
	if err != nil {
		return explained("connect", err)
	}
	stream := &stream{calls}
	if err := stream.command(&chat.Command{Kind: &chat.Command_Hello{Hello: &chat.Hello{}}}); err != nil {
		return err
	}
	go func() {
		// What the server has not answered when the input ends is answered before the stream does.
		defer calls.CloseSend()
		lines := bufio.NewScanner(input)
		for id := uint64(1); lines.Scan(); id++ {
			if stream.command(said(id, lines.Text())) != nil {
				return // The reason is what the reading below ends with.
			}
		}
	}()
	for {
		frame, err := calls.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return explained("read", err)
		}
		for _, event := range frame.Events {
			c.reader.take(event)
		}
	}
}

func said(id uint64, line string) *chat.Command {
	if name, words, ok := strings.Cut(strings.TrimPrefix(line, "@"), " "); ok && strings.HasPrefix(line, "@") {
		return &chat.Command{Kind: &chat.Command_SendMessage{SendMessage: &chat.SendMessageRequest{
			ClientMessageId: id,
			Target:          &chat.Target{Target: &chat.Target_Username{Username: name}},
			Content:         text(words),
		}}}
	}
	return &chat.Command{Kind: &chat.Command_Broadcast{Broadcast: &chat.BroadcastRequest{
		ClientMessageId: id,
		Content:         text(line),
	}}}
}
