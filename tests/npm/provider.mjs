// The certified OpenID provider "oidc-provider", with people and claims from a JSON file that is read anew at every use.
//
//   node provider.mjs PORT FILE
//
// FILE: {"client": {…}, "people": {"<account>": {"sub": …, "email": …, …}}, "claims_in_id_token": false, "end_session": true}
// With "acr" in the form the sign-in is said to be of that kind, whatever the client wanted.
// Prints "ready" once it listens. Its sign-in page has one field, the account; its own pages are the provider's.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const [port, file] = process.argv.slice(2);
const read = () => JSON.parse(readFileSync(file, 'utf8'));
const issuer = `http://127.0.0.1:${port}`;
const given = read();

const provider = new Provider(issuer, {
  clients: [given.client],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'given_name', 'family_name', 'groups'] },
  conformIdTokenClaims: !given.claims_in_id_token,
  scopes: ['openid', 'email', 'profile'],
  pkce: { required: () => true },
  cookies: { keys: ['only for tests'] },
  acrValues: ['urn:test:one', 'urn:test:two'],
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: given.end_session !== false },
  },
  // It calls nobody on this machine, and gives up after 2.5 s, unless told otherwise; the product of a test runs here.
  fetch: (url, { dispatcher, signal, ...rest }) => globalThis.fetch(url, { ...rest, signal: AbortSignal.timeout(60000) }),
  interactions: { url: (ctx, interaction) => `/enter/${interaction.uid}` },
  async findAccount(ctx, id) {
    const claims = read().people[id];
    return claims && { accountId: id, claims: async () => claims };
  },
  // Everybody has agreed already: the page for that is not what is tried here.
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
});

const page = (uid, note) => `<!doctype html><html lang="en"><title>Provider</title><h1>Provider</h1><p>${note}</p>
<form method="post" action="/enter/${uid}"><label>Account <input name="account"></label>
<button name="do" value="enter">Enter</button><button name="do" value="stop">Stop</button></form></html>`;

// How somebody entered: as the client wanted, unless the form says otherwise.
const wanted = (params) => (params.acr_values || 'urn:test:one').split(' ')[0];

async function enter(request, response) {
  const { uid, prompt, params } = await provider.interactionDetails(request, response);
  if (request.method === 'GET') {
    response.setHeader('content-type', 'text/html');
    response.end(page(uid, `prompt ${prompt.name}`));
    return;
  }
  let body = '';
  for await (const part of request) body += part;
  const form = new URLSearchParams(body);
  const known = Object.entries(read().people).find(([account]) => account === form.get('account'));
  const result = form.get('do') === 'stop'
    ? { error: 'access_denied', error_description: 'stopped' }
    : { login: { accountId: known ? known[0] : 'nobody', acr: form.get('acr') || wanted(params) } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

const standard = provider.callback();
createServer((request, response) => {
  if (!request.url.startsWith('/enter/')) return standard(request, response);
  return enter(request, response).catch((error) => {
    response.statusCode = 400;
    response.end(String(error));
  });
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
