package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	chat "example.org/parley/gen/parley/chat/v1"
)

// replay reads a golden transcript like a stream, and prints the outcome of this client.
func replay(path string) error {
	if strings.HasSuffix(path, ".commands.binpb") {
		return eachFrame(path, func() proto.Message { return &chat.ConnectRequest{} }, func(proto.Message) {})
	}
	lines := []string{}
	lists := map[string][]map[string]any{"acks": {}, "refusals": {}, "gaps": {}, "omitted": {}}
	reader := newReader(func(line string) { lines = append(lines, line) })
	reader.note = func(list string, what map[string]any) { lists[list] = append(lists[list], what) }
	err := eachFrame(path, func() proto.Message { return &chat.ConnectResponse{} }, func(frame proto.Message) {
		for _, event := range frame.(*chat.ConnectResponse).Events {
			reader.take(event)
		}
	})
	if err != nil {
		return err
	}
	cursors := map[string]string{}
	for conversation, seq := range reader.cursors {
		cursors[conversation] = fmt.Sprint(seq)
	}
	outcome := map[string]any{"lines": lines, "cursors": cursors}
	for list, items := range lists {
		outcome[list] = items
	}
	return json.NewEncoder(os.Stdout).Encode(outcome)
}

// eachFrame reads length-delimited messages. It checks that each equals its JSON, and itself after encoding and decoding.
func eachFrame(path string, empty func() proto.Message, take func(proto.Message)) error {
	encoded, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	beside, err := os.Open(strings.TrimSuffix(path, ".binpb") + ".jsonl")
	if err != nil {
		return err
	}
	defer beside.Close()
	lines := bufio.NewReader(beside)
	for input := bufio.NewReader(bytes.NewReader(encoded)); ; {
		frame := empty()
		if err := protodelim.UnmarshalFrom(input, frame); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err
		}
		if err := check(frame, empty(), line); err != nil {
			return err
		}
		take(frame)
	}
}

func check(frame, again proto.Message, line []byte) error {
	encoded, err := proto.Marshal(frame)
	if err != nil {
		return err
	}
	if err := proto.Unmarshal(encoded, again); err != nil || !proto.Equal(frame, again) {
		return fmt.Errorf("the message changes when it is encoded and decoded: %v", frame)
	}
	ours, err := protojson.Marshal(frame)
	if err != nil {
		return err
	}
	var own, golden any
	if err := errors.Join(json.Unmarshal(ours, &own), json.Unmarshal(line, &golden)); err != nil {
		return err
	}
	if !reflect.DeepEqual(own, golden) {
		return fmt.Errorf("the JSON of the message is %s, but %s was expected", ours, line)
	}
	return nil
}
