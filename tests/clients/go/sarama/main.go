// The sarama client behind the tests' contract.
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

	"github.com/IBM/sarama"

	"precursor/tests/clients/contract"
)

func main() {
	contract.Serve(&driver{bootstrap: []string{os.Args[1]}})
}

type driver struct {
	bootstrap []string
}

func (d *driver) About() contract.Fields {
	return contract.Fields{
		"client":  "sarama",
		"version": contract.Version("github.com/IBM/sarama"),
		"lacks":   []string{},
	}
}

func config() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.ClientID = "tests"
	config.Consumer.Fetch.Default = 2_000_000
	config.Consumer.Return.Errors = true
	config.Consumer.MaxWaitTime = 200 * time.Millisecond
	return config
}

var codecs = map[string]sarama.CompressionCodec{
	"none":   sarama.CompressionNone,
	"gzip":   sarama.CompressionGZIP,
	"snappy": sarama.CompressionSnappy,
	"lz4":    sarama.CompressionLZ4,
	"zstd":   sarama.CompressionZSTD,
}

var acks = map[string]sarama.RequiredAcks{
	"0": sarama.NoResponse, "1": sarama.WaitForLocal, "all": sarama.WaitForAll,
}

func (d *driver) Produce(request contract.Request) ([]int64, error) {
	config := config()
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Compression = codecs[request.Codec]
	config.Producer.RequiredAcks = acks[request.Acks]
	config.Producer.Return.Successes = true
	if request.Idempotent {
		config.Producer.Idempotent = true
		config.Net.MaxOpenRequests = 1
	}
	producer, err := sarama.NewSyncProducer(d.bootstrap, config)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	messages := make([]*sarama.ProducerMessage, 0, len(request.Records))
	for _, record := range request.Records {
		messages = append(messages, message(request.Topic, record))
	}
	if err := producer.SendMessages(messages); err != nil {
		var failed sarama.ProducerErrors
		if errors.As(err, &failed) {
			return nil, fmt.Errorf("%d refused: %w", len(failed), failed[0].Err)
		}
		return nil, err
	}
	if request.Acks == "0" {
		return nil, nil
	}
	offsets := make([]int64, 0, len(messages))
	for _, message := range messages {
		offsets = append(offsets, message.Offset)
	}
	return offsets, nil
}

func message(topic string, record contract.Record) *sarama.ProducerMessage {
	message := &sarama.ProducerMessage{Topic: topic, Partition: record.Partition}
	if record.Key != nil {
		message.Key = sarama.ByteEncoder(record.Key)
	}
	if record.Value != nil {
		message.Value = sarama.ByteEncoder(record.Value)
	}
	if record.Timestamp != nil {
		message.Timestamp = time.UnixMilli(*record.Timestamp)
	}
	for _, header := range record.Headers {
		message.Headers = append(message.Headers,
			sarama.RecordHeader{Key: []byte(header.Name), Value: header.Value})
	}
	return message
}

func (d *driver) start(client sarama.Client, request contract.Request) (int64, error) {
	switch request.Start {
	case "beginning":
		return sarama.OffsetOldest, nil
	case "end":
		return sarama.OffsetNewest, nil
	}
	offset, milliseconds, err := contract.Start(request.Start)
	if err == nil && request.Start[0] == '@' {
		offset, err = client.GetOffset(request.Topic, request.Partition, milliseconds)
		if offset < 0 {
			offset = sarama.OffsetNewest
		}
	}
	return offset, err
}

func (d *driver) Consume(request contract.Request) ([]contract.Record, error) {
	client, err := sarama.NewClient(d.bootstrap, config())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	from, err := d.start(client, request)
	if err != nil {
		return nil, err
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	partition, err := consumer.ConsumePartition(request.Topic, request.Partition, from)
	if err != nil {
		return nil, err
	}
	defer partition.Close()
	taken := make([]contract.Record, 0, request.Count)
	patience := time.After(contract.Patience)
	for len(taken) < request.Count {
		select {
		case message := <-partition.Messages():
			taken = append(taken, take(message))
		case err := <-partition.Errors():
			return nil, err
		case <-patience:
			return nil, fmt.Errorf("%d of %d records came", len(taken), request.Count)
		}
	}
	return taken, nil
}

func take(message *sarama.ConsumerMessage) contract.Record {
	timestamp := message.Timestamp.UnixMilli()
	taken := contract.Record{Partition: message.Partition, Offset: message.Offset,
		Timestamp: &timestamp, Key: message.Key, Value: message.Value}
	for _, header := range message.Headers {
		taken.Headers = append(taken.Headers,
			contract.Header{Name: string(header.Key), Value: header.Value})
	}
	return taken
}

// admin runs one administrative call with a client of its own.
func (d *driver) admin(call func(sarama.ClusterAdmin) error) error {
	admin, err := sarama.NewClusterAdmin(d.bootstrap, config())
	if err != nil {
		return err
	}
	defer admin.Close()
	return call(admin)
}

func (d *driver) Create(request contract.Request) error {
	entries := make(map[string]*string)
	for name, value := range request.Config {
		entries[name] = &value
	}
	return d.admin(func(admin sarama.ClusterAdmin) error {
		detail := &sarama.TopicDetail{NumPartitions: request.Partitions, ReplicationFactor: 1,
			ConfigEntries: entries}
		return admin.CreateTopic(request.Topic, detail, false)
	})
}

func (d *driver) Describe(request contract.Request) (partitions int, err error) {
	err = d.admin(func(admin sarama.ClusterAdmin) error {
		found, err := admin.DescribeTopics([]string{request.Topic})
		if err != nil {
			return err
		}
		partitions = len(found[0].Partitions)
		if found[0].Err != sarama.ErrNoError {
			return found[0].Err
		}
		return nil
	})
	return partitions, err
}

func (d *driver) Config(request contract.Request) (map[string]string, error) {
	found := make(map[string]string)
	err := d.admin(func(admin sarama.ClusterAdmin) error {
		entries, err := admin.DescribeConfig(sarama.ConfigResource{
			Type: sarama.TopicResource, Name: request.Topic})
		for _, entry := range entries {
			found[entry.Name] = entry.Value
		}
		return err
	})
	return found, err
}

func (d *driver) Alter(request contract.Request) error {
	entries := make(map[string]sarama.IncrementalAlterConfigsEntry)
	for name, value := range request.Config {
		entries[name] = sarama.IncrementalAlterConfigsEntry{
			Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value}
	}
	return d.admin(func(admin sarama.ClusterAdmin) error {
		return admin.IncrementalAlterConfig(sarama.TopicResource, request.Topic, entries, false)
	})
}

func (d *driver) Delete(request contract.Request) error {
	return d.admin(func(admin sarama.ClusterAdmin) error { return admin.DeleteTopic(request.Topic) })
}

func (d *driver) Metadata(request contract.Request) (topics, partitions int, err error) {
	err = d.admin(func(admin sarama.ClusterAdmin) error {
		all, err := admin.DescribeTopics(nil)
		for _, topic := range all {
			if strings.HasPrefix(topic.Name, request.Prefix) {
				topics++
				partitions += len(topic.Partitions)
			}
		}
		return err
	})
	return topics, partitions, err
}

// member takes what sarama gives to a group's member: a call for each partition that it has.
type member struct {
	out   *contract.Out
	lock  sync.Mutex
	owned []int32
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	if len(session.Claims()) == 0 {
		m.out.Owned(nil)
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) change(partition int32, has bool) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.owned = slices.DeleteFunc(m.owned, func(p int32) bool { return p == partition })
	if has {
		m.owned = append(m.owned, partition)
	}
	slices.Sort(m.owned)
	m.out.Owned(m.owned)
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	m.change(claim.Partition(), true)
	defer m.change(claim.Partition(), false)
	for {
		select {
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			record := [3]any{message.Partition, message.Offset, string(message.Value)}
			m.out.Line(contract.Fields{"event": "records", "records": [][3]any{record}})
			session.MarkMessage(message, "")
			session.Commit()
		case <-session.Context().Done():
			return nil
		}
	}
}

func (d *driver) Member(request contract.Request, out *contract.Out, stop <-chan struct{}) error {
	config := config()
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Session.Timeout = time.Duration(request.SessionMs) * time.Millisecond
	config.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	config.Consumer.Group.InstanceId = request.Instance
	strategy := sarama.NewBalanceStrategyRange()
	if request.Strategy == "cooperative" {
		strategy = sarama.NewBalanceStrategyCooperativeSticky()
	}
	config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
	group, err := sarama.NewConsumerGroup(d.bootstrap, request.Group, config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-stop
		cancel()
	}()
	go func() {
		for err := range group.Errors() {
			fmt.Fprintln(os.Stderr, "sarama:", err)
		}
	}()
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{request.Topic}, &member{out: out}); err != nil {
			// The way back after a broker that was away is the caller's to try.
			fmt.Fprintln(os.Stderr, "sarama:", err)
			time.Sleep(200 * time.Millisecond)
		}
	}
	return group.Close()
}
