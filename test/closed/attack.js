// Runs in a page of another site: everything that it can try to get at an answer, or to write without one. It gives
// back what it got to see.
async (target) => {
  const message = JSON.stringify({ topic: 't', sender: 'page', body: 'from a page' });
  const json = { 'content-type': 'application/json' };
  const seen = async (asked) => {
    try {
      const response = await asked;
      return response.type === 'opaque' ? 'opaque' : `${response.status} ${await response.text()}`;
    } catch {
      return 'blocked';
    }
  };
  const ask = (path, options) => seen(fetch(target + path, options));
  const loads = (name, path) =>
    new Promise((resolve) => {
      const element = Object.assign(document.createElement(name), { src: target + path });
      element.addEventListener('load', () => resolve('loaded'));
      element.addEventListener('error', () => resolve('blocked'));
      document.body.append(element);
    });
  const stream = new EventSource(`${target}/api/bus/events`);
  const listened = new Promise((resolve) => {
    stream.onopen = () => resolve('open');
    stream.onerror = () => resolve('blocked');
  });
  const found = {
    read: await ask('/api/bus/messages'),
    blindRead: await ask('/api/bus/messages', { mode: 'no-cors' }),
    metrics: await ask('/metrics'),
    health: await ask('/healthz'),
    page: await ask('/'),
    tools: await ask('/mcp', { method: 'POST', headers: json, body: '{}' }),
    write: await ask('/api/bus/message', { method: 'POST', headers: json, body: message }),
    plainWrite: await ask('/api/bus/message', { method: 'POST', mode: 'no-cors', body: message }),
    claim: await ask('/api/bus/lanes/a/claim', { method: 'POST', mode: 'no-cors', body: '{"owner":"page"}' }),
    stream: await listened,
    script: await loads('script', '/api/bus/status'),
    picture: await loads('img', '/api/bus/messages?since_id=0&wait_s=300'),
  };
  stream.close();
  navigator.sendBeacon(`${target}/api/bus/message`, new Blob([message], { type: 'text/plain' }));
  return found;
};
