// How mqtt-packet works here: it writes all that MQTT.js sends, and packets that are seldom needed elsewhere.
import { generate, writeToStream } from 'mqtt-packet';

// Its first packet would make a Buffer of each number of two bytes, and keep them: 65,536 objects and 8 MB, which each full
// garbage collection goes through. No packet that is sent often is written by it.
writeToStream.cacheNumbers = false;

export { generate };
