// The function of the benchmarks: an HTTP/1.1 server that finds the partition, offset and timestamp of each record of a Lambda
// Kafka event by scanning for the member names (it parses no JSON and decodes no base64), and answers 200.
//
// It keeps a bit per offset, so that it knows what was lost, delivered twice or out of order, and a histogram of the time
// from the record's timestamp to its arrival.
//
//	POST /             a batch
//	POST /reset?delay_ms=10
//	GET  /report       JSON
//
// The wire is read by hand: net/http costs three times as much for a small request.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	bodyBytesMax   = 64 << 20
	readBufferSize = 256 << 10
)

var answerOK = []byte("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	tally := newTally()
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go serve(connection, tally)
	}
}

func serve(connection net.Conn, tally *tally) {
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, readBufferSize)
	var body []byte
	for {
		method, target, length, err := readHead(reader)
		if err != nil {
			return
		}
		if cap(body) < length {
			body = make([]byte, length+length/4)
		}
		body = body[:length]
		if _, err := io.ReadFull(reader, body); err != nil {
			return
		}
		if method == "POST" && target == "/" {
			arrived := time.Now()
			delay := tally.add(body, arrived)
			if delay > 0 {
				time.Sleep(delay)
			}
			if _, err := connection.Write(answerOK); err != nil {
				return
			}
			continue
		}
		if err := answerControl(connection, target, tally); err != nil {
			return
		}
	}
}

// readHead reads the request line and the headers, of which only content-length counts.
func readHead(reader *bufio.Reader) (method, target string, length int, err error) {
	line, err := reader.ReadSlice('\n')
	if err != nil {
		return "", "", 0, err
	}
	if bytes.HasPrefix(line, []byte("POST / ")) {
		method, target = "POST", "/"
	} else {
		parts := strings.SplitN(string(line), " ", 3)
		if len(parts) < 3 {
			return "", "", 0, errors.New("no request line")
		}
		method, target = parts[0], parts[1]
	}
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return "", "", 0, err
		}
		if len(line) <= 2 {
			return method, target, length, nil
		}
		if len(line) > 15 && (line[0]|32) == 'c' && bytes.EqualFold(line[:15], []byte("content-length:")) {
			length, err = strconv.Atoi(strings.TrimSpace(string(line[15:])))
			if err != nil || length < 0 || length > bodyBytesMax {
				return "", "", 0, errors.New("content-length")
			}
		}
		if len(line) > 18 && (line[0]|32) == 't' && bytes.EqualFold(line[:18], []byte("transfer-encoding:")) {
			return "", "", 0, errors.New("a body without content-length")
		}
	}
}

func answerControl(connection net.Conn, target string, tally *tally) error {
	address, err := url.Parse(target)
	if err != nil {
		return err
	}
	answer := []byte("{}")
	switch address.Path {
	case "/reset":
		delayMs, _ := strconv.Atoi(address.Query().Get("delay_ms"))
		tally.reset(time.Duration(delayMs) * time.Millisecond)
	case "/report":
		if answer, err = json.Marshal(tally.report()); err != nil {
			return err
		}
	default:
		_, err := connection.Write([]byte("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"))
		return err
	}
	_, err = fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", len(answer), answer)
	return err
}
