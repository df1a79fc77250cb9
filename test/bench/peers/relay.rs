//! A relay with Causeway's promise and nothing else, for comparison: MQTT 3.1.1 at QoS 1 to HTTP, in order for each topic,
//! batches of 500 with 4 in flight, PUBACK in order of arrival once the handler has answered 2xx. A thread reads, four send; one lock.
//! Standard library alone. Arguments: broker's host:port, client id, filter, handler's URL.
use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

const MAX_BATCH: usize = 500;
const IN_FLIGHT: usize = 4;
const LINGER: Duration = Duration::from_millis(5);

struct Message {
    sequence: u64,
    topic: usize,
    payload: Vec<u8>,
}

struct Topic {
    name: Vec<u8>,
    waiting: VecDeque<Message>,
    busy: bool,
}

#[derive(Default)]
struct State {
    topics: Vec<Topic>,
    known: HashMap<Vec<u8>, usize>,
    ready: VecDeque<usize>,
    ready_messages: usize,
    oldest: Option<Instant>,
    /// Packet ids that are not acknowledged, in the order of arrival, and whether each is settled.
    window: VecDeque<(u16, bool)>,
    first_sequence: u64,
}

impl State {
    fn add(&mut self, name: &[u8], packet_id: u16, payload: Vec<u8>) {
        let sequence = self.first_sequence + self.window.len() as u64;
        self.window.push_back((packet_id, false));
        let topic = match self.known.get(name) {
            Some(&found) => found,
            None => {
                self.topics.push(Topic { name: name.to_vec(), waiting: VecDeque::new(), busy: false });
                self.known.insert(name.to_vec(), self.topics.len() - 1);
                self.topics.len() - 1
            }
        };
        let one = &mut self.topics[topic];
        one.waiting.push_back(Message { sequence, topic, payload });
        if one.busy {
            return;
        }
        if one.waiting.len() == 1 {
            self.ready.push_back(topic);
        }
        self.ready_messages += 1;
        self.oldest.get_or_insert_with(Instant::now);
    }

    fn take(&mut self) -> Vec<Message> {
        let mut batch = Vec::with_capacity(self.ready_messages.min(MAX_BATCH));
        while batch.len() < MAX_BATCH {
            let Some(topic) = self.ready.pop_front() else { break };
            let one = &mut self.topics[topic];
            self.ready_messages -= one.waiting.len();
            let count = one.waiting.len().min(MAX_BATCH - batch.len());
            batch.extend(one.waiting.drain(..count));
            one.busy = true;
        }
        self.oldest = (self.ready_messages > 0).then(Instant::now);
        batch
    }

    /// Answers with the PUBACKs that can leave.
    fn settle(&mut self, batch: &[Message]) -> Vec<u8> {
        for message in batch {
            self.window[(message.sequence - self.first_sequence) as usize].1 = true;
            let one = &mut self.topics[message.topic];
            if one.busy {
                one.busy = false;
                if !one.waiting.is_empty() {
                    self.ready_messages += one.waiting.len();
                    self.ready.push_back(message.topic);
                    self.oldest.get_or_insert_with(Instant::now);
                }
            }
        }
        let mut packets = Vec::new();
        while let Some(&(id, true)) = self.window.front() {
            packets.extend([0x40, 2, (id >> 8) as u8, id as u8]);
            self.window.pop_front();
            self.first_sequence += 1;
        }
        packets
    }
}

struct Relay {
    state: Mutex<State>,
    wake: Condvar,
    acknowledgements: Mutex<TcpStream>,
    source: String,
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (broker, client_id, filter, url) = (&args[1], &args[2], &args[3], &args[4]);
    let mut connection = TcpStream::connect(broker).expect("the broker");
    connection.set_nodelay(true).unwrap();
    let mut connect = b"\x00\x04MQTT\x04\x00\x00\x00".to_vec();
    connect.extend(text(client_id));
    let mut subscribe = vec![0, 1];
    subscribe.extend(text(filter));
    subscribe.push(1);
    connection.write_all(&packet(0x10, &connect)).unwrap();
    connection.write_all(&packet(0x82, &subscribe)).unwrap();

    let relay = Arc::new(Relay {
        state: Mutex::default(),
        wake: Condvar::new(),
        acknowledgements: Mutex::new(connection.try_clone().unwrap()),
        source: format!("mqtt://{broker}/{client_id}"),
    });
    let rest = url.strip_prefix("http://").expect("an http URL");
    let (host, path) = rest.split_once('/').expect("a path");
    for number in 0..IN_FLIGHT {
        let (relay, host, path) = (relay.clone(), host.to_string(), format!("/{path}"));
        std::thread::spawn(move || send(&relay, number, &host, &path));
    }
    read(&relay, connection);
}

fn read(relay: &Relay, connection: TcpStream) {
    let mut reader = BufReader::with_capacity(256 * 1024, connection);
    loop {
        if reader.fill_buf().expect("the broker").is_empty() {
            return;
        }
        let mut state = relay.state.lock().unwrap();
        // What is here already is taken under one lock.
        while let Some((first, start, length)) = header(reader.buffer()) {
            if reader.buffer().len() < start + length {
                break;
            }
            let body = &reader.buffer()[start..start + length];
            if first >> 4 == 3 && first & 0x06 != 0 {
                let end = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
                let id = u16::from_be_bytes([body[end], body[end + 1]]);
                state.add(&body[2..end], id, body[end + 2..].to_vec());
            }
            reader.consume(start + length);
        }
        if state.ready_messages > 0 {
            relay.wake.notify_all();
        }
        drop(state);
        read_rest(relay, &mut reader);
    }
}

/// A packet that has not come whole.
fn read_rest(relay: &Relay, reader: &mut BufReader<TcpStream>) {
    if reader.buffer().is_empty() {
        return;
    }
    let mut head = Vec::new();
    while header(&head).is_none() {
        let mut byte = [0];
        reader.read_exact(&mut byte).expect("the broker");
        head.push(byte[0]);
    }
    let (first, start, length) = header(&head).unwrap();
    let mut body = head[start..].to_vec();
    body.resize(length, 0);
    reader.read_exact(&mut body[head.len() - start..]).expect("the broker");
    if first >> 4 == 3 && first & 0x06 != 0 {
        let end = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
        let id = u16::from_be_bytes([body[end], body[end + 1]]);
        relay.state.lock().unwrap().add(&body[2..end], id, body[end + 2..].to_vec());
    }
}

/// First byte, where the body begins, and its length; none where the head has not come whole.
fn header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let mut length = 0;
    for at in 1..5 {
        let digit = *bytes.get(at)?;
        length |= usize::from(digit & 127) << (7 * (at - 1));
        if digit < 128 {
            return Some((bytes[0], at + 1, length));
        }
    }
    panic!("a length of five bytes");
}

fn send(relay: &Relay, number: usize, host: &str, path: &str) {
    let mut sent = 0;
    let mut handler: Option<BufReader<TcpStream>> = None;
    loop {
        let (batch, names) = next_batch(relay);
        let mut body = vec![b'['];
        for (index, message) in batch.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            sent += 1;
            body.extend(br#"{"specversion":"1.0","type":"relay.message","id":""#);
            write!(body, "{number}-{sent}\",\"source\":\"{}\",\"subject\":", relay.source).unwrap();
            quote(&mut body, &names[index]);
            body.extend(br#","datacontenttype":"text/plain","data":"#);
            quote(&mut body, &message.payload);
            body.push(b'}');
        }
        body.push(b']');
        let mut wait = Duration::from_millis(100);
        while !post(&mut handler, host, path, &body) {
            std::thread::sleep(wait);
            wait = (wait * 2).min(Duration::from_secs(2));
        }
        let mut connection = relay.acknowledgements.lock().unwrap();
        let mut state = relay.state.lock().unwrap();
        let packets = state.settle(&batch);
        if state.ready_messages > 0 {
            relay.wake.notify_one();
        }
        drop(state);
        connection.write_all(&packets).expect("the broker");
    }
}

/// Waits for a batch that is full, or whose oldest message has waited for others.
fn next_batch(relay: &Relay) -> (Vec<Message>, Vec<Vec<u8>>) {
    let mut state = relay.state.lock().unwrap();
    loop {
        let waited = state.oldest.map(|since| since.elapsed());
        match waited {
            Some(waited) if state.ready_messages >= MAX_BATCH || waited >= LINGER => {
                let batch = state.take();
                let names = batch.iter().map(|one| state.topics[one.topic].name.clone()).collect();
                return (batch, names);
            }
            Some(waited) => state = relay.wake.wait_timeout(state, LINGER - waited).unwrap().0,
            None => state = relay.wake.wait(state).unwrap(),
        }
    }
}

fn post(handler: &mut Option<BufReader<TcpStream>>, host: &str, path: &str, body: &[u8]) -> bool {
    if handler.is_none() {
        let Ok(stream) = TcpStream::connect(host) else { return false };
        stream.set_nodelay(true).unwrap();
        *handler = Some(BufReader::new(stream));
    }
    let reader = handler.as_mut().unwrap();
    let outcome = exchange(reader, host, path, body);
    if outcome.is_err() {
        *handler = None;
    }
    matches!(outcome, Ok(200..=299))
}

fn exchange(reader: &mut BufReader<TcpStream>, host: &str, path: &str, body: &[u8]) -> std::io::Result<u16> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/cloudevents-batch+json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut request = head.into_bytes();
    request.extend(body);
    reader.get_mut().write_all(&request)?;
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let mut length = None;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok();
        }
    }
    // The handler always says it; what does not is none of its answers.
    let length = length.ok_or(std::io::ErrorKind::InvalidData)?;
    reader.read_exact(&mut vec![0; length])?;
    Ok(status)
}

/// Appends a text as JSON.
fn quote(to: &mut Vec<u8>, text: &[u8]) {
    to.push(b'"');
    for &char in text {
        match char {
            b'"' | b'\\' => to.extend([b'\\', char]),
            0..=0x1f => write!(to, "\\u{char:04x}").unwrap(),
            _ => to.push(char),
        }
    }
    to.push(b'"');
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = (value.len() as u16).to_be_bytes().to_vec();
    bytes.extend(value.as_bytes());
    bytes
}

/// The bodies written here are shorter than 128 bytes.
fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    assert!(body.len() < 128);
    let mut bytes = vec![first, body.len() as u8];
    bytes.extend(body);
    bytes
}
