import {generateKeyPairSync} from 'node:crypto';
import {PostingStore} from '../../source/dht/posting-store.ts';
import {isGenuineFile, signFile} from '../../source/dht/records.ts';
import {keyWords} from '../../source/dht/words.ts';
import {fileOf} from '../../test/helpers/dht-group.ts';

const {privateKey, publicKey} = generateKeyPairSync('ed25519');
const peer = Buffer.from(publicKey.export({format: 'jwk'}).x!, 'base64url').toString('hex');
const tag = Buffer.alloc(8);
const time = Math.floor(Date.now() / 1000);
const n = 7000;
let t = performance.now();
const lap = (w: string) => {
	const d = performance.now() - t;
	console.log(w, ((d / n) * 1000).toFixed(1), 'us per record');
	t = performance.now();
};
const recs = Array.from({length: n}, (_, i) => ({...fileOf(i), time, expiry: time + 20000, removed: false}));
lap('make');
const signed = recs.map(r => signFile(r, {peer, privateKey, tag}));
lap('sign');
const words = recs.map(r => keyWords(r.path));
lap('words');
for (const s of signed) isGenuineFile(s, peer, tag);
lap('verify');
const store = new PostingStore('/tmp/micro.db');
for (let i = 0; i < n; i += 7)
	store.together(() => {
		const o = store.enter(peer, '1.2.3.4');
		for (let j = i; j < i + 7; j++) store.put(o, signed[j]!, words[j]!, 0xff);
		store.leave(o);
	});
lap('store');
for (let i = 0; i < n; i += 7)
	store.together(() => {
		const o = store.enter(peer, '1.2.3.4');
		for (let j = i; j < i + 7; j++) store.put(o, signed[j]!, words[j]!, 0xff);
		store.leave(o);
	});
lap('store again');
store.close();
