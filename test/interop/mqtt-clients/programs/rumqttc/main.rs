//! A device on rumqttc: sends back what it gets, and answers what is asked.
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, PublishProperties};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = std::env::args().skip(1);
    let port: u16 = args.next().unwrap().parse().unwrap();
    let name = args.next().unwrap();
    let mut options = MqttOptions::new(&name, "127.0.0.1", port);
    options.set_clean_start(false);
    options.set_session_expiry_interval(Some(300));
    let (client, mut connection) = AsyncClient::new(options, 10);
    loop {
        match connection.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(connack))) if !connack.session_present => {
                let filters = [
                    Filter::new(format!("{name}/down/+"), QoS::ExactlyOnce),
                    Filter::new(format!("{name}/ask"), QoS::AtLeastOnce),
                ];
                client.subscribe_many(filters).await.unwrap();
            }
            Ok(Event::Incoming(Packet::SubAck(_))) => println!("subscribed"),
            Ok(Event::Incoming(Packet::Publish(message))) => {
                let topic = String::from_utf8(message.topic.to_vec()).unwrap();
                if topic == format!("{name}/ask") {
                    let asked = message.properties.unwrap();
                    let properties = PublishProperties {
                        correlation_data: asked.correlation_data,
                        ..Default::default()
                    };
                    let to = asked.response_topic.unwrap();
                    let qos = QoS::AtLeastOnce;
                    client.publish_with_properties(to, qos, false, "pong", properties).await.unwrap();
                } else {
                    let to = topic.replace("/down/", "/up/");
                    client.publish(to, message.qos, false, message.payload).await.unwrap();
                }
            }
            Ok(_) => {}
            // The next poll connects again.
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}
