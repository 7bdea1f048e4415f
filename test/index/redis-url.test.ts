import {describe, expect, test} from 'vitest';
import {isRedisUrl, parseRedisUrl} from '../../source/index/redis/redis-url.ts';

describe('the address of a cluster', () => {
	test('names nodes, with and without port, by name and by number', () => {
		expect(parseRedisUrl('redis://a,b:7001, [::1]:7002').nodes).toEqual([
			{host: 'a', port: 6379},
			{host: 'b', port: 7001},
			{host: '::1', port: 7002},
		]);
		expect(parseRedisUrl('redis://10.0.0.1:7000')).toEqual({nodes: [{host: '10.0.0.1', port: 7000}], tls: false});
	});

	test('says TLS, user and password as the URLs of Redis do', () => {
		expect(parseRedisUrl('rediss://user:p%40ss@host:1/0')).toEqual({
			nodes: [{host: 'host', port: 1}],
			tls: true,
			username: 'user',
			password: 'p@ss',
		});
		expect(parseRedisUrl('redis://:secret@host')).toMatchObject({password: 'secret'});
		expect(parseRedisUrl('redis://:secret@host').username).toBeUndefined();
	});

	test('that makes no sense is refused without telling the password', () => {
		for (const wrong of [
			'redis://',
			'redis://host:0',
			'redis://host:70000',
			'redis://host:6379/3',
			'redis://:s3cret@host:port',
			'redis://:s3cret%zz@host',
			'redis://a,,b',
			'http://host',
			'redis://host?x=1',
		]) {
			const parse = () => parseRedisUrl(wrong);
			expect(parse, wrong).toThrowError(
				expect.objectContaining({code: 'usage', hint: expect.stringContaining('redis://')}),
			);
			expect(parse, wrong).not.toThrowError(/s3cret/);
		}
	});

	test('is told from a file', () => {
		expect(['redis://x', 'REDISS://x'].every(isRedisUrl)).toBe(true);
		expect(['index.db', './redis:', '/redis://x'].some(isRedisUrl)).toBe(false);
	});
});
