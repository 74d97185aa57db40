package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc/metadata"

	functionv1 "penstock.example/functions/gen/penstock/function/v1"
)

type grpcFunction struct {
	functionv1.UnimplementedKafkaFunctionServiceServer
}

// Handle answers OK when the batch is done; with any other status the same records come again.
func (grpcFunction) Handle(ctx context.Context, request *functionv1.HandleRequest) (*functionv1.HandleResponse, error) {
	var summary batchSummary
	if values := metadata.ValueFromIncomingContext(ctx, "penstock-mapping-id"); len(values) > 0 {
		summary.mapping = values[0]
	}
	for _, group := range request.Partitions {
		for _, record := range group.Records {
			summary.handle(group.Topic, group.Partition, record.Offset, func() { work(record.Value) })
		}
	}
	fmt.Println(&summary)
	return &functionv1.HandleResponse{}, nil
}
