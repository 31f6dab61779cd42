import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A certificate and its key, as the files that a server and its clients are given. */
export type Certificate = Readonly<{ certificate: string; key: string; name: string; privateKey: KeyObject }>;

/**
 * Who signs for servers, made for one test: Node.js reads certificates but makes none, and not every machine has a
 * program that does.
 */
export function createAuthority(name: string): Certificate {
  return createCertificate({ name, extensions: [basicConstraints] });
}

/** For a server under this host name, signed by the authority. */
export function createServerCertificate(hostName: string, authority: Certificate): Certificate {
  const names = der(0x30, der(0x82, Buffer.from(hostName)));
  return createCertificate({
    name: hostName,
    authority,
    extensions: [der(0x30, subjectAltName, der(0x04, names))],
  });
}

function createCertificate({
  name,
  authority,
  extensions,
}: Readonly<{ name: string; authority?: Certificate; extensions: readonly Buffer[] }>): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const day = 86_400_000;
  const signed = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([authority ? 2 : 1])),
    ecdsaWithSha256,
    toName(authority?.name ?? name),
    der(0x30, toTime(Date.now() - day), toTime(Date.now() + day)),
    toName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions)),
  );
  const signature = createSign('SHA256')
    .update(signed)
    .sign(authority?.privateKey ?? privateKey);
  const whole = der(0x30, signed, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    name,
    privateKey,
  };
}

/** One value as certificates are written: its kind, its length, its content. */
function der(kind: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([kind, ...size]), content]);
}

function toName(name: string): Buffer {
  return der(0x30, der(0x31, der(0x30, commonName, der(0x0c, Buffer.from(name)))));
}

function toTime(time: number): Buffer {
  const text = new Date(time).toISOString().replace(/\D/g, '');
  return der(0x17, Buffer.from(`${text.slice(2, 14)}Z`));
}

const toIdentifier = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const commonName = toIdentifier('550403');
const subjectAltName = toIdentifier('551d11');
const ecdsaWithSha256 = der(0x30, toIdentifier('2a8648ce3d040302'));
const isTrue = der(0x01, Buffer.from([0xff]));
/** It may sign for others. */
const basicConstraints = der(0x30, toIdentifier('551d13'), isTrue, der(0x04, der(0x30, isTrue)));
