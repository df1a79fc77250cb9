// A device on Eclipse Paho for Go (autopaho): sends back what it gets, and answers what is asked.
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

func main() {
	port, name := os.Args[1], os.Args[2]
	ctx := context.Background()
	server, _ := url.Parse("mqtt://127.0.0.1:" + port)
	config := autopaho.ClientConfig{
		ServerUrls:                    []*url.URL{server},
		CleanStartOnInitialConnection: true,
		SessionExpiryInterval:         300,
		OnConnectionUp: func(manager *autopaho.ConnectionManager, connack *paho.Connack) {
			if connack.SessionPresent {
				return
			}
			_, err := manager.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{
				{Topic: name + "/down/+", QoS: 2},
				{Topic: name + "/ask", QoS: 1},
			}})
			if err != nil {
				panic(err)
			}
			fmt.Println("subscribed")
		},
		ClientConfig: paho.ClientConfig{ClientID: name},
	}
	var manager *autopaho.ConnectionManager
	config.OnPublishReceived = append(config.OnPublishReceived, func(received paho.PublishReceived) (bool, error) {
		message := received.Packet
		answer := &paho.Publish{
			Topic:   strings.Replace(message.Topic, "/down/", "/up/", 1),
			QoS:     message.QoS,
			Payload: message.Payload,
		}
		if message.Topic == name+"/ask" {
			answer = &paho.Publish{
				Topic:      message.Properties.ResponseTopic,
				QoS:        1,
				Payload:    []byte("pong"),
				Properties: &paho.PublishProperties{CorrelationData: message.Properties.CorrelationData},
			}
		}
		// A publish waits for its acknowledgement, which is read by who has called this.
		go manager.Publish(ctx, answer)
		return true, nil
	})
	connected, err := autopaho.NewConnection(ctx, config)
	if err != nil {
		panic(err)
	}
	manager = connected
	select {}
}
