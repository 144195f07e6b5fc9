package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	chat "example.org/parley/gen/parley/chat/v1"
)

// talk keeps a stream open and shows events until the input ends. It sends each input line: "@luke hello" to luke, and
// "hello" to all users.
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
		// After the half-close the server answers the remaining commands, and then ends the stream.
		defer calls.CloseSend()
		lines := bufio.NewScanner(input)
		for id := uint64(1); lines.Scan(); id++ {
			if stream.command(commandOf(id, lines.Text())) != nil {
				return // Recv below returns the reason.
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

func commandOf(id uint64, line string) *chat.Command {
	if name, rest, ok := strings.Cut(strings.TrimPrefix(line, "@"), " "); ok && strings.HasPrefix(line, "@") {
		return &chat.Command{Kind: &chat.Command_SendMessage{SendMessage: &chat.SendMessageRequest{
			ClientMessageId: id,
			Target:          &chat.Target{Target: &chat.Target_Username{Username: name}},
			Content:         text(rest),
		}}}
	}
	return &chat.Command{Kind: &chat.Command_Broadcast{Broadcast: &chat.BroadcastRequest{
		ClientMessageId: id,
		Content:         text(line),
	}}}
}
