// Reads the requests of a file with CloudEvents and Standard Webhooks for Go, and prints what became of each.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type request struct {
	Name, Format, Body, Payload string
	Headers                     map[string]string
	JSON                        any `json:"json"`
}

func main() {
	var requests []request
	text, _ := os.ReadFile(os.Args[1])
	if err := json.Unmarshal(text, &requests); err != nil {
		panic(err)
	}
	verifier, err := webhooks.NewWebhook(os.Getenv("SECRET"))
	if err != nil {
		panic(err)
	}
	outcomes := map[string]string{}
	for _, one := range requests {
		body, _ := base64.StdEncoding.DecodeString(one.Body)
		message, _ := http.NewRequest("POST", "http://localhost/", bytes.NewReader(body))
		for name, value := range one.Headers {
			message.Header.Set(name, value)
		}
		if one.Format == "raw" {
			outcomes[one.Name] = word(verifier.Verify(body, message.Header) == nil)
			continue
		}
		outcomes[one.Name] = outcome(one, message)
	}
	printed, _ := json.Marshal(outcomes)
	fmt.Println(string(printed))
}

func outcome(one request, message *http.Request) string {
	var events []event.Event
	if one.Format == "cloudevents-batch" {
		batch, err := cehttp.NewEventsFromHTTPRequest(message)
		if err != nil {
			return "no"
		}
		events = batch
	} else {
		single, err := cloudevents.NewEventFromHTTPRequest(message)
		if err != nil {
			return "no"
		}
		events = []event.Event{*single}
	}
	if one.JSON != nil {
		var data any
		if err := events[0].DataAs(&data); err != nil {
			return "no"
		}
		return same(reflect.DeepEqual(data, one.JSON))
	}
	payload, _ := base64.StdEncoding.DecodeString(one.Payload)
	return same(bytes.Equal(events[0].Data(), payload))
}

func word(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func same(is bool) string {
	if is {
		return "yes"
	}
	return "other data"
}
