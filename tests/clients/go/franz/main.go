// The franz-go client behind the tests' contract.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"precursor/tests/clients/contract"
)

func main() {
	contract.Serve(&franz{bootstrap: os.Args[1]})
}

type franz struct {
	bootstrap string
}

func (f *franz) About() contract.Fields {
	return contract.Fields{
		"client":  "franz-go",
		"version": contract.Version("github.com/twmb/franz-go"),
		"lacks":   []string{},
	}
}

func (f *franz) client(options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append(options, kgo.SeedBrokers(f.bootstrap))...)
}

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

var acks = map[string]kgo.Acks{
	"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks(),
}

func (f *franz) Produce(request contract.Request) ([]int64, error) {
	options := []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[request.Codec]),
		kgo.RequiredAcks(acks[request.Acks]),
		kgo.AllowAutoTopicCreation(),
		kgo.RecordDeliveryTimeout(contract.Patience),
		kgo.UnknownTopicRetries(3),
	}
	if !request.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := f.client(options...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	records := make([]*kgo.Record, 0, len(request.Records))
	for _, record := range request.Records {
		send := &kgo.Record{Topic: request.Topic, Partition: record.Partition, Key: record.Key,
			Value: record.Value}
		if record.Timestamp != nil {
			send.Timestamp = time.UnixMilli(*record.Timestamp)
		}
		for _, header := range record.Headers {
			send.Headers = append(send.Headers, kgo.RecordHeader{Key: header.Name, Value: header.Value})
		}
		records = append(records, send)
	}
	if err := client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		return nil, err
	}
	offsets := make([]int64, 0, len(records))
	for _, record := range records {
		offsets = append(offsets, record.Offset)
	}
	return offsets, nil
}

func start(text string) (kgo.Offset, error) {
	switch text {
	case "beginning":
		return kgo.NewOffset().AtStart(), nil
	case "end":
		return kgo.NewOffset().AtEnd(), nil
	}
	offset, milliseconds, err := contract.Start(text)
	if text[0] == '@' {
		return kgo.NewOffset().AfterMilli(milliseconds), err
	}
	return kgo.NewOffset().At(offset), err
}

func (f *franz) Consume(request contract.Request) ([]contract.Record, error) {
	from, err := start(request.Start)
	if err != nil {
		return nil, err
	}
	client, err := f.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
		request.Topic: {request.Partition: from},
	}))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	patience, cancel := context.WithTimeout(context.Background(), contract.Patience)
	defer cancel()
	taken := make([]contract.Record, 0, request.Count)
	for len(taken) < request.Count {
		fetches := client.PollRecords(patience, request.Count-len(taken))
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("%d of %d records came: %w", len(taken), request.Count, err)
		}
		fetches.EachRecord(func(record *kgo.Record) { taken = append(taken, take(record)) })
	}
	return taken, nil
}

func take(record *kgo.Record) contract.Record {
	timestamp := record.Timestamp.UnixMilli()
	taken := contract.Record{Partition: record.Partition, Offset: record.Offset,
		Timestamp: &timestamp, Key: record.Key, Value: record.Value}
	for _, header := range record.Headers {
		taken.Headers = append(taken.Headers, contract.Header{Name: header.Key, Value: header.Value})
	}
	return taken
}

// admin runs one administrative call with a client of its own.
func (f *franz) admin(call func(context.Context, *kadm.Client) error) error {
	client, err := f.client()
	if err != nil {
		return err
	}
	admin := kadm.NewClient(client)
	defer admin.Close()
	patience, cancel := context.WithTimeout(context.Background(), contract.Patience)
	defer cancel()
	return call(patience, admin)
}

func (f *franz) Create(request contract.Request) error {
	config := make(map[string]*string)
	for name, value := range request.Config {
		config[name] = kadm.StringPtr(value)
	}
	return f.admin(func(ctx context.Context, admin *kadm.Client) error {
		made, err := admin.CreateTopic(ctx, request.Partitions, 1, config, request.Topic)
		return errors.Join(err, made.Err)
	})
}

func (f *franz) Describe(request contract.Request) (partitions int, err error) {
	err = f.admin(func(ctx context.Context, admin *kadm.Client) error {
		topics, err := admin.ListTopics(ctx, request.Topic)
		if err != nil {
			return err
		}
		partitions = len(topics[request.Topic].Partitions)
		return topics[request.Topic].Err
	})
	return partitions, err
}

func (f *franz) Config(request contract.Request) (map[string]string, error) {
	found := make(map[string]string)
	err := f.admin(func(ctx context.Context, admin *kadm.Client) error {
		resource, err := admin.DescribeTopicConfigs(ctx, request.Topic)
		if err != nil {
			return err
		}
		config, err := resource.On(request.Topic, nil)
		if err != nil {
			return err
		}
		for _, option := range config.Configs {
			found[option.Key] = option.MaybeValue()
		}
		return config.Err
	})
	return found, err
}

func (f *franz) Alter(request contract.Request) error {
	var changes []kadm.AlterConfig
	for name, value := range request.Config {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: name,
			Value: kadm.StringPtr(value)})
	}
	return f.admin(func(ctx context.Context, admin *kadm.Client) error {
		answers, err := admin.AlterTopicConfigs(ctx, changes, request.Topic)
		for _, answer := range answers {
			err = errors.Join(err, answer.Err)
		}
		return err
	})
}

func (f *franz) Delete(request contract.Request) error {
	return f.admin(func(ctx context.Context, admin *kadm.Client) error {
		gone, err := admin.DeleteTopic(ctx, request.Topic)
		return errors.Join(err, gone.Err)
	})
}

func (f *franz) Metadata(request contract.Request) (topics, partitions int, err error) {
	err = f.admin(func(ctx context.Context, admin *kadm.Client) error {
		all, err := admin.ListTopics(ctx)
		for name, detail := range all {
			if strings.HasPrefix(name, request.Prefix) {
				topics++
				partitions += len(detail.Partitions)
			}
		}
		return err
	})
	return topics, partitions, err
}

// owned are the partitions of one topic that a member has, told after each change.
type owned struct {
	lock       sync.Mutex
	partitions []int32
	out        *contract.Out
}

func (o *owned) add(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
	o.change(func() {
		for _, partitions := range topics {
			o.partitions = append(o.partitions, partitions...)
		}
	})
}

func (o *owned) remove(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
	o.change(func() {
		for _, partitions := range topics {
			o.partitions = slices.DeleteFunc(o.partitions, func(p int32) bool {
				return slices.Contains(partitions, p)
			})
		}
	})
}

func (o *owned) change(how func()) {
	o.lock.Lock()
	defer o.lock.Unlock()
	how()
	slices.Sort(o.partitions)
	o.out.Owned(o.partitions)
}

func (f *franz) Member(request contract.Request, out *contract.Out, stop <-chan struct{}) error {
	own := &owned{out: out}
	session := time.Duration(request.SessionMs) * time.Millisecond
	options := []kgo.Opt{
		kgo.ConsumerGroup(request.Group),
		kgo.ConsumeTopics(request.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(session),
		kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(own.add),
		kgo.OnPartitionsRevoked(own.remove),
		kgo.OnPartitionsLost(own.remove),
		kgo.FetchMaxWait(200 * time.Millisecond),
	}
	if request.Strategy == "cooperative" {
		options = append(options, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	} else {
		options = append(options, kgo.Balancers(kgo.RangeBalancer()))
	}
	if request.Instance != "" {
		options = append(options, kgo.InstanceID(request.Instance))
	}
	client, err := f.client(options...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-stop
		cancel()
	}()
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			// A static member keeps its place: only a dynamic one says that it leaves.
			client.Close()
			return nil
		}
		// Errors are told and tried again by the client: a coordinator that moved, a broker away.
		if err := fetches.Err(); err != nil {
			fmt.Fprintln(os.Stderr, "franz-go:", err)
		}
		records := fetches.Records()
		if len(records) == 0 {
			continue
		}
		seen := make([][3]any, 0, len(records))
		for _, record := range records {
			seen = append(seen, [3]any{record.Partition, record.Offset, string(record.Value)})
		}
		out.Line(contract.Fields{"event": "records", "records": seen})
		// A commit that fails belongs to a generation that is over; its next owner reads again.
		_ = client.CommitRecords(ctx, records...)
	}
}
