// A client of Penstock's mapping API: creates a mapping, waits until it runs, reads its history, deletes it.
//
//	go run . -function big-orders -topic orders -brokers 127.0.0.1:9092
//
// A token, where Penstock wants one, is taken from PENSTOCK_TOKEN.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	mappingv1 "penstock.example/client/gen/penstock/mapping/v1"
)

const (
	enablingMax = 60 * time.Second
	callMax     = 10 * time.Second
)

func main() {
	address := flag.String("address", "127.0.0.1:7400", "host:port of the mapping service")
	function := flag.String("function", "", "name of a registered function")
	topic := flag.String("topic", "", "Kafka topic")
	brokers := flag.String("brokers", "", "host:port, several with commas")
	flag.Parse()

	connection, err := grpc.NewClient(*address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	service := mappingv1.NewMappingServiceClient(connection)

	ctx := context.Background()
	if token := os.Getenv("PENSTOCK_TOKEN"); token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	if err := run(ctx, service, *function, *topic, strings.Split(*brokers, ",")); err != nil {
		// The message says what to change.
		log.Fatalf("%s: %s", status.Code(err), status.Convert(err).Message())
	}
}

func run(ctx context.Context, service mappingv1.MappingServiceClient, function, topic string, brokers []string) error {
	uuid, err := create(ctx, service, function, topic, brokers)
	if err != nil {
		return err
	}
	fmt.Println("created", uuid)
	if err := watchUntilEnabled(ctx, service, uuid); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callMax)
	defer cancel()
	page, err := service.ListEventSourceMappingEvents(ctx, &mappingv1.ListEventSourceMappingEventsRequest{Uuid: uuid})
	if err != nil {
		return err
	}
	for _, event := range page.Events {
		fmt.Println("event", event.Time.AsTime().Format(time.RFC3339), event.Kind, event.Actor, event.Message)
	}
	deleted, err := service.DeleteEventSourceMapping(ctx, &mappingv1.DeleteEventSourceMappingRequest{Uuid: uuid})
	if err != nil {
		return err
	}
	fmt.Println("deleted", uuid, deleted.EventSourceMapping.State)
	return nil
}

// Repeating this call with the same request id changes nothing: safe to retry after a lost answer.
func create(ctx context.Context, service mappingv1.MappingServiceClient, function, topic string, brokers []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callMax)
	defer cancel()
	answer, err := service.CreateEventSourceMapping(ctx, &mappingv1.CreateEventSourceMappingRequest{
		RequestId:    proto.String(rand.Text()),
		FunctionName: proto.String(function),
		Topics:       []string{topic},
		SelfManagedEventSource: &mappingv1.SelfManagedEventSource{
			Endpoints: &mappingv1.Endpoints{KafkaBootstrapServers: brokers},
		},
		BatchSize:             proto.Int32(50),
		MaximumBatchingWindow: durationpb.New(250 * time.Millisecond),
		StartingPosition:      mappingv1.StartingPosition_STARTING_POSITION_TRIM_HORIZON.Enum(),
	})
	return answer.GetEventSourceMapping().GetUuid(), err
}

// Prints each state as it comes; every message is the whole mapping.
func watchUntilEnabled(ctx context.Context, service mappingv1.MappingServiceClient, uuid string) error {
	ctx, cancel := context.WithTimeout(ctx, enablingMax)
	defer cancel() // ends the stream
	changes, err := service.WatchEventSourceMapping(ctx, &mappingv1.WatchEventSourceMappingRequest{Uuid: uuid})
	if err != nil {
		return err
	}
	last := mappingv1.MappingState_MAPPING_STATE_UNSPECIFIED
	for last != mappingv1.MappingState_MAPPING_STATE_ENABLED {
		change, err := changes.Recv()
		if err != nil {
			return err
		}
		if state := change.EventSourceMapping.State; state != last {
			fmt.Println("state", state)
			last = state
		}
	}
	return nil
}
