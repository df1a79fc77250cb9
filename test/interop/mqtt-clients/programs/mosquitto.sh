#!/usr/bin/env bash
# A device on mosquitto_sub and mosquitto_pub: sends back what it gets, and answers what is asked.
set -euo pipefail
port=$1 name=$2
server=(-h 127.0.0.1 -p "$port" -V mqttv5)
session=("${server[@]}" -i "$name" -c -x 300 -q 2 -t "$name/down/+" -t "$name/ask")
# Subscribed once and left; from then on the session has it, also where the broker starts again.
mosquitto_sub "${session[@]}" -E
echo subscribed
while IFS='|' read -r qos topic response payload; do
  if [[ $topic == "$name/ask" ]]; then
    mosquitto_pub "${server[@]}" -q 1 -t "$response" -m pong
  else
    mosquitto_pub "${server[@]}" -q "$qos" -t "${topic/\/down\//\/up\/}" -m "$payload"
  fi
done < <(exec mosquitto_sub "${session[@]}" -F '%q|%t|%R|%p')
