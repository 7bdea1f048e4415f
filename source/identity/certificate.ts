import 'reflect-metadata';
import {createPublicKey, type KeyObject, randomBytes, webcrypto} from 'node:crypto';
import * as x509 from '@peculiar/x509';
import {peerIdOfKey} from './peer-id.ts';

const dayMs = 24 * 3600 * 1000;

/**
 * A self-signed TLS certificate over an Ed25519 key, as PEM. What counts to the other side is the key in it; names and
 * dates are there because TLS stacks want them.
 */
export async function makeCertificate(privateKey: KeyObject): Promise<string> {
	const crypto = webcrypto;
	x509.cryptoProvider.set(crypto as never);
	const algorithm = {name: 'Ed25519'};
	const publicKey = createPublicKey(privateKey);
	const keys = {
		privateKey: await crypto.subtle.importKey(
			'pkcs8',
			new Uint8Array(privateKey.export({type: 'pkcs8', format: 'der'})),
			algorithm,
			false,
			['sign'],
		),
		publicKey: await crypto.subtle.importKey(
			'spki',
			new Uint8Array(publicKey.export({type: 'spki', format: 'der'})),
			algorithm,
			true,
			['verify'],
		),
	};
	const certificate = await x509.X509CertificateGenerator.createSelfSigned({
		serialNumber: `00${randomBytes(15).toString('hex')}`,
		name: `CN=p2p-tui ${peerIdOfKey(publicKey).slice(0, 16)}`,
		notBefore: new Date(Date.now() - dayMs),
		notAfter: new Date(Date.now() + 3650 * dayMs),
		signingAlgorithm: algorithm,
		keys,
		extensions: [
			new x509.BasicConstraintsExtension(false, undefined, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
			new x509.SubjectAlternativeNameExtension([{type: 'dns', value: 'p2p-tui'}]),
		],
	});
	return certificate.toString('pem');
}
