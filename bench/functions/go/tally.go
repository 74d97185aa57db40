package main

import (
	"bytes"
	"sync"
	"time"
)

const (
	bucketMicros = 100
	buckets      = 600_000 // 60 s
)

var (
	partitionMark = []byte(`"partition":`)
	offsetMark    = []byte(`,"offset":`)
	timestampMark = []byte(`,"timestamp":`)
)

// tally is what the function has seen since the last reset.
type tally struct {
	mutex      sync.Mutex
	delay      time.Duration
	calls      int64
	records    int64
	duplicates int64
	disordered int64
	first      time.Time
	last       time.Time
	// Records of the first call: they came before the measured time.
	firstRecords int64
	partitions   map[int64]*partition
	// The partition of the last record.
	current       *partition
	currentNumber int64
	latencies     []int32
}

type partition struct {
	seen    []uint64
	highest int64
}

type report struct {
	Calls        int64   `json:"calls"`
	Records      int64   `json:"records"`
	Distinct     int64   `json:"distinct"`
	Duplicates   int64   `json:"duplicates"`
	Disordered   int64   `json:"disordered"`
	FirstRecords int64   `json:"firstRecords"`
	FirstMs      float64 `json:"firstMs"`
	LastMs       float64 `json:"lastMs"`
	P50Ms        float64 `json:"p50Ms"`
	P99Ms        float64 `json:"p99Ms"`
	MaxMs        float64 `json:"maxMs"`
}

func newTally() *tally {
	t := &tally{latencies: make([]int32, buckets)}
	t.reset(0)
	return t
}

func (t *tally) reset(delay time.Duration) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.delay = delay
	t.calls, t.records, t.duplicates, t.disordered, t.firstRecords = 0, 0, 0, 0, 0
	t.first, t.last = time.Time{}, time.Time{}
	t.partitions = map[int64]*partition{}
	t.current = nil
	clear(t.latencies)
}

// add counts a batch and returns how long the function takes over it.
func (t *tally) add(body []byte, arrived time.Time) time.Duration {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.calls == 0 {
		t.first = arrived
	}
	t.last = arrived
	t.calls++
	arrivedMicros := arrived.UnixMicro()
	before := t.records
	// Records of one batch are mostly of one length: the next one is looked for there first.
	start, stride := bytes.Index(body, partitionMark), 0
	for start >= 0 {
		number, at := digits(body, start+len(partitionMark))
		if bytes.HasPrefix(body[at:], offsetMark) {
			offset, behind := digits(body, at+len(offsetMark))
			timestamp, behind := digits(body, behind+len(timestampMark))
			t.count(number, offset, arrivedMicros-timestamp*1000)
			at = behind
		}
		next := start + stride
		if next <= at || next > len(body) || !bytes.HasPrefix(body[next:], partitionMark) {
			next = bytes.Index(body[at:], partitionMark)
			if next >= 0 {
				next += at
			}
		}
		stride, start = next-start, next
	}
	if t.calls == 1 {
		t.firstRecords = t.records - before
	}
	return t.delay
}

func (t *tally) partitionOf(number int64) *partition {
	p := t.partitions[number]
	if p == nil {
		p = &partition{highest: -1}
		t.partitions[number] = p
	}
	t.current, t.currentNumber = p, number
	return p
}

func (t *tally) count(number, offset, latencyMicros int64) {
	t.records++
	p := t.current
	if p == nil || number != t.currentNumber {
		p = t.partitionOf(number)
	}
	word, bit := offset>>6, uint64(1)<<(offset&63)
	for int64(len(p.seen)) <= word {
		p.seen = append(p.seen, make([]uint64, 1024)...)
	}
	if p.seen[word]&bit != 0 {
		t.duplicates++
	} else if offset < p.highest {
		t.disordered++
	}
	p.seen[word] |= bit
	if offset > p.highest {
		p.highest = offset
	}
	bucket := latencyMicros / bucketMicros
	if bucket < 0 {
		bucket = 0
	}
	if bucket >= buckets {
		bucket = buckets - 1
	}
	t.latencies[bucket]++
}

func (t *tally) report() report {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	r := report{
		Calls: t.calls, Records: t.records, Distinct: t.records - t.duplicates, Duplicates: t.duplicates,
		Disordered: t.disordered, FirstRecords: t.firstRecords,
		P50Ms: t.quantile(0.5), P99Ms: t.quantile(0.99), MaxMs: t.quantile(1),
	}
	if t.calls > 0 {
		r.FirstMs = float64(t.first.UnixMicro()) / 1000
		r.LastMs = float64(t.last.UnixMicro()) / 1000
	}
	return r
}

func (t *tally) quantile(share float64) float64 {
	rank := int64(share*float64(t.records)+0.5) - 1
	var count int64
	for bucket, n := range t.latencies {
		count += int64(n)
		if count > rank && n > 0 {
			return float64(bucket+1) * bucketMicros / 1000
		}
	}
	return 0
}

func digits(body []byte, at int) (value int64, behind int) {
	for at < len(body) && body[at] >= '0' && body[at] <= '9' {
		value = value*10 + int64(body[at]-'0')
		at++
	}
	return value, at
}
