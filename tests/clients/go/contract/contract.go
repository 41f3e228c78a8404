// Package contract is what every Go client of the tests speaks on standard input and output: one
// JSON request a line, answered by JSON lines of which the last has "done" or "error". The list of
// requests is in ../../README.md.
package contract

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

// Patience is how long a driver waits for records before it gives up.
const Patience = 60 * time.Second

// Request is one line of standard input; which fields count depends on Op.
type Request struct {
	Op         string            `json:"op"`
	Topic      string            `json:"topic"`
	Prefix     string            `json:"prefix"`
	Codec      string            `json:"codec"`
	Acks       string            `json:"acks"`
	Idempotent bool              `json:"idempotent"`
	Records    []Record          `json:"records"`
	Partition  int32             `json:"partition"`
	Partitions int32             `json:"partitions"`
	Start      string            `json:"start"`
	Count      int               `json:"count"`
	Config     map[string]string `json:"config"`
	Group      string            `json:"group"`
	Instance   string            `json:"instance"`
	Strategy   string            `json:"strategy"`
	SessionMs  int               `json:"session_ms"`
}

// Header is a name and a value; a nil value is a null header.
type Header struct {
	Name  string
	Value []byte
}

// Record is one record in either direction: byte strings are base64, null is null.
type Record struct {
	Partition int32
	Offset    int64
	Timestamp *int64
	Key       []byte
	Value     []byte
	Headers   []Header
}

// UnmarshalJSON reads [partition, timestamp, key, value, [[name, value], …]].
func (r *Record) UnmarshalJSON(data []byte) error {
	var headers [][2]*json.RawMessage
	fields := []any{&r.Partition, &r.Timestamp, &r.Key, &r.Value, &headers}
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	for _, pair := range headers {
		var header Header
		if err := json.Unmarshal(*pair[0], &header.Name); err != nil {
			return err
		}
		if pair[1] != nil {
			if err := json.Unmarshal(*pair[1], &header.Value); err != nil {
				return err
			}
		}
		r.Headers = append(r.Headers, header)
	}
	return nil
}

// MarshalJSON writes [offset, timestamp, key, value, [[name, value], …]].
func (r Record) MarshalJSON() ([]byte, error) {
	headers := make([][2]any, 0, len(r.Headers))
	for _, header := range r.Headers {
		headers = append(headers, [2]any{header.Name, header.Value})
	}
	return json.Marshal([]any{r.Offset, r.Timestamp, r.Key, r.Value, headers})
}

// Fields are the members of one JSON line.
type Fields map[string]any

// Client is one Kafka client's way to do what the tests ask.
type Client interface {
	About() Fields
	Produce(Request) ([]int64, error)
	Consume(Request) ([]Record, error)
	Create(Request) error
	Describe(Request) (partitions int, err error)
	Config(Request) (map[string]string, error)
	Alter(Request) error
	Delete(Request) error
	Metadata(Request) (topics, partitions int, err error)
	// Member runs until stop is closed, then leaves the group.
	Member(request Request, out *Out, stop <-chan struct{}) error
}

// Out writes lines, from any goroutine.
type Out struct {
	lock    sync.Mutex
	encoder *json.Encoder
	writer  *bufio.Writer
}

// Line writes one line and flushes it.
func (o *Out) Line(fields Fields) {
	o.lock.Lock()
	defer o.lock.Unlock()
	if err := o.encoder.Encode(fields); err == nil {
		err = o.writer.Flush()
		if err != nil {
			os.Exit(1)
		}
	}
}

// Owned tells which partitions the member has now.
func (o *Out) Owned(partitions []int32) {
	if partitions == nil {
		partitions = []int32{}
	}
	o.Line(Fields{"event": "owned", "partitions": partitions})
}

// Serve answers standard input until it ends.
func Serve(client Client) {
	writer := bufio.NewWriterSize(os.Stdout, 1<<16)
	out := &Out{encoder: json.NewEncoder(writer), writer: writer}
	in := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	for {
		var request Request
		if err := in.Decode(&request); err == io.EOF {
			return
		} else if err != nil {
			out.Line(Fields{"error": "the request cannot be read: " + err.Error()})
			return
		}
		if request.Op == "member" {
			member(client, request, in, out)
			return
		}
		answer, err := answer(client, request)
		if err != nil {
			answer = Fields{"error": err.Error()}
		} else {
			answer["done"] = true
		}
		out.Line(answer)
	}
}

// member holds a membership until the next line or the end of standard input.
func member(client Client, request Request, in *json.Decoder, out *Out) {
	stop := make(chan struct{})
	go func() {
		var ignored json.RawMessage
		_ = in.Decode(&ignored)
		close(stop)
	}()
	if err := client.Member(request, out, stop); err != nil {
		out.Line(Fields{"error": err.Error()})
		os.Exit(1)
	}
	out.Line(Fields{"event": "left"})
}

func answer(client Client, request Request) (Fields, error) {
	switch request.Op {
	case "about":
		return client.About(), nil
	case "produce":
		offsets, err := client.Produce(request)
		return Fields{"offsets": offsets}, err
	case "consume":
		records, err := client.Consume(request)
		return Fields{"records": records}, err
	case "create":
		return Fields{}, client.Create(request)
	case "describe":
		partitions, err := client.Describe(request)
		return Fields{"partitions": partitions}, err
	case "config":
		config, err := client.Config(request)
		return Fields{"config": config}, err
	case "alter":
		return Fields{}, client.Alter(request)
	case "delete":
		return Fields{}, client.Delete(request)
	case "metadata":
		topics, partitions, err := client.Metadata(request)
		return Fields{"topics": topics, "partitions": partitions}, err
	}
	return nil, fmt.Errorf("unknown request %q", request.Op)
}

// Start reads where to begin: the offset, or the milliseconds of "@milliseconds".
func Start(text string) (offset, milliseconds int64, err error) {
	if len(text) > 0 && text[0] == '@' {
		milliseconds, err = strconv.ParseInt(text[1:], 10, 64)
		return 0, milliseconds, err
	}
	offset, err = strconv.ParseInt(text, 10, 64)
	return offset, 0, err
}

// Version is the module's version that this program was linked with.
func Version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version[1:]
		}
	}
	return "unknown"
}
