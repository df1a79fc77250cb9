// Stands in for the `debug` package in our bundles. MQTT.js asks it about ten times a packet whether it is on,
// which costs a tenth of a message's CPU, and nobody reads its output there: the bridge has its own log.
const create = () => {
  const debug = () => {};
  debug.enabled = false;
  debug.extend = create;
  return debug;
};
module.exports = create;
module.exports.default = create;
