package main

import (
	"fmt"
	"strings"
	"sync"
)

// What a function remembers of its batches.
//
// Delivery is at least once: after a crash a batch can come again. Topic, partition and offset name a
// record for ever, and offsets ascend within a partition, so remembering the last one is enough to notice
// a repetition; one for each mapping, since two mappings may well deliver the same record. This memory ends
// with the process. A real function keeps the offset where its results are,
// written in the same transaction.
var (
	lastOffsets = map[string]int64{}
	lock        sync.Mutex
)

type offsetRange struct {
	name        string
	first, last int64
}

// batchSummary is what a function says about one batch.
type batchSummary struct {
	mapping           string // what the call says in penstock-mapping-id
	ranges            []offsetRange
	records, repeated int
}

// handle counts a record and runs work unless the record was handled before.
func (s *batchSummary) handle(topic string, partition int32, offset int64, work func()) {
	name := fmt.Sprintf("%s[%d]", topic, partition)
	// The records of a partition come one after the other.
	if last := len(s.ranges) - 1; last >= 0 && s.ranges[last].name == name {
		s.ranges[last].last = offset
	} else {
		s.ranges = append(s.ranges, offsetRange{name, offset, offset})
	}
	s.records++
	lock.Lock()
	defer lock.Unlock()
	memory := s.mapping + " " + name
	if last, known := lastOffsets[memory]; known && offset <= last {
		s.repeated++
		return
	}
	work()
	lastOffsets[memory] = offset
}

// String is one line, such as "12 records  orders[0] 40-46  orders[3] 7-11".
func (s *batchSummary) String() string {
	ending := "s"
	if s.records == 1 {
		ending = ""
	}
	parts := []string{fmt.Sprintf("%d record%s", s.records, ending)}
	for _, r := range s.ranges {
		parts = append(parts, fmt.Sprintf("%s %d-%d", r.name, r.first, r.last))
	}
	if s.repeated > 0 {
		parts = append(parts, fmt.Sprintf("(%d seen before)", s.repeated))
	}
	return strings.Join(parts, "  ")
}
