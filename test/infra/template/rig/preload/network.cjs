// The network of one process: addresses of tasks with the ports that security groups open, its own address, which stands
// for the network interface of a task, and hosts of AWS, which are on this machine.
const net = require('node:net');

const { hosts, own, outside, services = {} } = JSON.parse(process.env.TEST_NETWORK);
delete process.env.TEST_NETWORK;

const isOpen = (port) =>
  outside === undefined || outside.some(([from, to]) => from <= port && port <= to);

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  const [target] = Array.isArray(args[0]) ? args[0] : args;
  if (typeof target !== 'object' || target === null || target.port === undefined)
    return connect.apply(this, args);
  const port = Number(target.port);
  const found = hosts[target.host];
  // What runs in the task itself is a health check.
  const isOwn = target.host === '127.0.0.1' && own?.ports.includes(port);
  if (!isOwn && !(found?.ports.includes(port) ?? isOpen(port))) {
    const reason = `no security group lets this process connect to ${target.host}:${port}`;
    const error = Object.assign(new Error(reason), { code: 'ETIMEDOUT' });
    process.nextTick(() => this.destroy(error));
    return this;
  }
  if (found !== undefined) target.host = found.address;
  const service = services[target.host];
  if (service !== undefined) Object.assign(target, { host: '127.0.0.1', port: service });
  if (isOwn) target.host = own.address;
  return connect.apply(this, args);
};

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (...args) {
  const isAny = (host) => host === '0.0.0.0' || host === '::';
  const inOptions = typeof args[0] === 'object' && args[0] !== null;
  const host = inOptions ? args[0].host : args[1];
  if (own !== undefined && isAny(host)) {
    if (inOptions) args[0] = { ...args[0], host: own.address };
    else args[1] = own.address;
  }
  return listen.apply(this, args);
};
