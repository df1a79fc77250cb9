// Publishes and queries with the client that ogen has made of /openapi.json.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"time"

	"causeway.test/client/causeway"
)

type token string

func (t token) Bearer(context.Context, causeway.OperationName) (causeway.Bearer, error) {
	return causeway.Bearer{Token: string(t)}, nil
}

func main() {
	client, err := causeway.NewClient(os.Getenv("API_URL"), token(os.Getenv("API_TOKEN")))
	if err != nil {
		log.Fatal(err)
	}
	topic := os.Getenv("TOPIC")
	answer, err := client.Publish(context.Background(), &causeway.PublishRequest{
		Topic:          topic,
		Payload:        []byte(`{"celsius":21.5}`),
		UserProperties: [][]string{{"unit", "celsius"}},
	}, causeway.PublishParams{})
	if err != nil {
		log.Fatal(err)
	}
	published, ok := answer.(*causeway.PublishOK)
	if !ok {
		log.Fatalf("%#v", answer)
	}
	for range 100 {
		answer, err := client.ListMessages(context.Background(), causeway.ListMessagesParams{Topic: causeway.NewOptString(topic)})
		if err != nil {
			log.Fatal(err)
		}
		page, ok := answer.(*causeway.MessagePageHeaders)
		if !ok {
			log.Fatalf("%#v", answer)
		}
		if messages := page.Response.Messages; len(messages) > 0 {
			json.NewEncoder(os.Stdout).Encode(map[string]any{
				"status":  published.Response.Status,
				"qos":     published.Response.Qos,
				"topic":   messages[0].Topic,
				"payload": json.RawMessage(messages[0].Payload),
			})
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	log.Fatal("the message was not stored")
}
