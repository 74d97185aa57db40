package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
)

const bodyBytesMax = 8 << 20

// kafkaEvent is the JSON event that AWS Lambda defines for Kafka
// (https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html).
type kafkaEvent struct {
	// Records by "topic-partition"; within a partition they ascend by offset.
	Records map[string][]kafkaRecord `json:"records"`
}

type kafkaRecord struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	// Base64 in JSON; nil when null.
	Key   []byte `json:"key"`
	Value []byte `json:"value"`
}

// serveHTTP answers 200 when the batch is done; with any other answer the same records come again.
func serveHTTP(response http.ResponseWriter, request *http.Request) {
	var event kafkaEvent
	body := http.MaxBytesReader(response, request.Body, bodyBytesMax)
	if err := json.NewDecoder(body).Decode(&event); err != nil {
		log.Print(err)
		http.Error(response, "not a Kafka event", http.StatusBadRequest)
		return
	}
	summary := batchSummary{mapping: request.Header.Get("penstock-mapping-id")}
	for _, records := range event.Records {
		for _, record := range records {
			summary.handle(record.Topic, record.Partition, record.Offset, func() { work(record.Value) })
		}
	}
	fmt.Println(&summary)
	response.WriteHeader(http.StatusOK)
}

// work is what the function is there for. This one only reads the value.
func work(value []byte) { _ = string(value) }
