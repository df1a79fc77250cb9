// A relay with Causeway's promise and nothing else, for comparison: MQTT 3.1.1 at QoS 1 to HTTP, in order for each topic, batches
// of 500 with 4 in flight, PUBACK in order of arrival once the handler has answered 2xx. One goroutine decides; a reader and
// the senders only tell it. Standard library alone. Arguments: broker's host:port, client id, filter, handler's URL.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

const (
	maxBatch = 500
	inFlight = 4
	linger   = 5 * time.Millisecond
)

type message struct {
	packetID uint16
	topic    *topic
	payload  []byte
	settled  bool
}

type topic struct {
	name    string
	waiting []*message
	busy    bool
}

type batch []*message

func main() {
	broker, clientID, filter, url := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	connection, err := net.Dial("tcp", broker)
	check(err)
	connect := append([]byte("\x00\x04MQTT\x04\x00\x00\x00"), text(clientID)...)
	write(connection, 0x10, connect)
	write(connection, 0x82, append(append([]byte{0, 1}, text(filter)...), 1))

	arrived := make(chan []*message, 64)
	work := make(chan batch, inFlight)
	finished := make(chan batch, inFlight)
	go read(connection, arrived)
	for range inFlight {
		go send(url, "mqtt://"+broker+"/"+clientID, work, finished)
	}
	relay(connection, arrived, work, finished)
}

// relay keeps the topics in order, fills batches, and acknowledges.
func relay(connection net.Conn, arrived <-chan []*message, work chan<- batch, finished <-chan batch) {
	var window []*message
	var ready []*topic
	readyMessages, sending, due := 0, 0, false
	timer := time.NewTimer(time.Hour)
	makeReady := func(one *topic) {
		if readyMessages == 0 {
			timer.Reset(linger)
		}
		ready = append(ready, one)
		readyMessages += len(one.waiting)
	}
	for {
		select {
		case messages := <-arrived:
			window = append(window, messages...)
			for _, one := range messages {
				one.topic.waiting = append(one.topic.waiting, one)
				if one.topic.busy {
					continue
				}
				if len(one.topic.waiting) == 1 {
					makeReady(one.topic)
				} else {
					readyMessages++
				}
			}
		case done := <-finished:
			sending--
			for _, one := range done {
				one.settled = true
				if one.topic.busy {
					one.topic.busy = false
					if len(one.topic.waiting) > 0 {
						makeReady(one.topic)
					}
				}
			}
			window = acknowledge(connection, window)
		case <-timer.C:
			due = true
		}
		for sending < inFlight && (readyMessages >= maxBatch || (due && readyMessages > 0)) {
			some := make(batch, 0, min(maxBatch, readyMessages))
			taken := 0
			for ; taken < len(ready) && len(some) < maxBatch; taken++ {
				one := ready[taken]
				readyMessages -= len(one.waiting)
				count := min(len(one.waiting), maxBatch-len(some))
				some = append(some, one.waiting[:count]...)
				one.waiting = append([]*message(nil), one.waiting[count:]...)
				one.busy = true
			}
			ready = append([]*topic(nil), ready[taken:]...)
			due = false
			if readyMessages > 0 {
				timer.Reset(linger)
			}
			sending++
			work <- some
		}
	}
}

// acknowledge writes the PUBACKs of all that are settled, in the order of arrival, and answers with the rest.
func acknowledge(connection net.Conn, window []*message) []*message {
	var packets []byte
	count := 0
	for ; count < len(window) && window[count].settled; count++ {
		packets = binary.BigEndian.AppendUint16(append(packets, 0x40, 2), window[count].packetID)
	}
	if count > 0 {
		_, err := connection.Write(packets)
		check(err)
	}
	return window[count:]
}

func send(url, source string, work <-chan batch, finished chan<- batch) {
	client := &http.Client{Timeout: 30 * time.Second}
	var body []byte
	run, sent := strconv.FormatInt(time.Now().UnixNano(), 36), 0
	for some := range work {
		body = append(body[:0], '[')
		for index, one := range some {
			if index > 0 {
				body = append(body, ',')
			}
			sent++
			body = append(body, `{"specversion":"1.0","type":"relay.message","id":"`...)
			body = strconv.AppendInt(append(append(body, run...), '-'), int64(sent), 10)
			body = append(append(append(body, `","source":"`...), source...), `","subject":`...)
			body = quoted(body, []byte(one.topic.name))
			body = append(body, `,"datacontenttype":"text/plain","data":`...)
			body = append(quoted(body, one.payload), '}')
		}
		body = append(body, ']')
		for wait := 100 * time.Millisecond; !post(client, url, body); wait = min(2*wait, 2*time.Second) {
			time.Sleep(wait)
		}
		finished <- some
	}
}

func post(client *http.Client, url string, body []byte) bool {
	response, err := client.Post(url, "application/cloudevents-batch+json", bytes.NewReader(body))
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode/100 == 2
}

// quoted appends a text as JSON.
func quoted(to, text []byte) []byte {
	to = append(to, '"')
	from := 0
	for at, char := range text {
		if char >= 0x20 && char != '"' && char != '\\' {
			continue
		}
		to = append(to, text[from:at]...)
		from = at + 1
		if char < 0x20 {
			to = fmt.Appendf(to, `\u%04x`, char)
		} else {
			to = append(to, '\\', char)
		}
	}
	return append(append(to, text[from:]...), '"')
}

// read hands over what has come in one read of the socket at once.
func read(connection net.Conn, arrived chan<- []*message) {
	reader := bufio.NewReaderSize(connection, 256*1024)
	topics := map[string]*topic{}
	var messages []*message
	for {
		if reader.Buffered() == 0 && len(messages) > 0 {
			arrived <- messages
			messages = nil
		}
		first, err := reader.ReadByte()
		check(err)
		length, err := binary.ReadUvarint(reader)
		check(err)
		packet := make([]byte, length)
		_, err = io.ReadFull(reader, packet)
		check(err)
		if first>>4 != 3 || first&0x06 == 0 {
			continue
		}
		end := 2 + int(binary.BigEndian.Uint16(packet))
		one := topics[string(packet[2:end])]
		if one == nil {
			one = &topic{name: string(packet[2:end])}
			topics[one.name] = one
		}
		id := binary.BigEndian.Uint16(packet[end:])
		messages = append(messages, &message{packetID: id, topic: one, payload: packet[end+2:]})
		if len(messages) == maxBatch {
			arrived <- messages
			messages = nil
		}
	}
}

func text(value string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(value))), value...)
}

func write(connection net.Conn, first byte, rest []byte) {
	packet := binary.AppendUvarint([]byte{first}, uint64(len(rest)))
	_, err := connection.Write(append(packet, rest...))
	check(err)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
