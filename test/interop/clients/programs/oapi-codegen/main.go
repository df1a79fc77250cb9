// Publishes and queries with the client that oapi-codegen has made of /openapi.json.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"causeway.test/client/causeway"
)

func main() {
	authorize := causeway.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+os.Getenv("API_TOKEN"))
		return nil
	})
	client, err := causeway.NewClientWithResponses(os.Getenv("API_URL"), authorize)
	if err != nil {
		log.Fatal(err)
	}
	topic := os.Getenv("TOPIC")
	properties := [][]string{{"unit", "celsius"}}
	published, err := client.PublishWithResponse(context.Background(), nil, causeway.PublishRequest{
		Topic:          topic,
		Payload:        map[string]any{"celsius": 21.5},
		UserProperties: &properties,
	})
	if err != nil {
		log.Fatal(err)
	}
	if published.JSON200 == nil {
		log.Fatalf("%s: %s", published.Status(), published.Body)
	}
	for range 100 {
		page, err := client.ListMessagesWithResponse(context.Background(), &causeway.ListMessagesParams{Topic: &topic})
		if err != nil {
			log.Fatal(err)
		}
		if page.JSON200 == nil {
			log.Fatalf("%s: %s", page.Status(), page.Body)
		}
		if messages := page.JSON200.Messages; len(messages) > 0 {
			json.NewEncoder(os.Stdout).Encode(map[string]any{
				"status":  published.JSON200.Status,
				"qos":     published.JSON200.Qos,
				"topic":   messages[0].Topic,
				"payload": messages[0].Payload,
			})
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	log.Fatal("the message was not stored")
}
