/** Names of files as strangers choose them, by what is wrong with them. Most are fine on some system. */
export const evilNames: Record<string, string[]> = {
	'path traversal': [
		'../up',
		'../../../../../../tmp/up',
		'a/../../up',
		'..',
		'.',
		'./x',
		'a/./b',
		'..\\..\\up',
		'%2e%2e%2fup',
	],
	'absolute paths': [
		'/etc/passwd-of-mine',
		'//server/share/x',
		'\\\\server\\share\\x',
		'\\\\?\\C:\\x',
		'C:\\x',
		'c:x',
		'file:///x',
		'~/x',
	],
	'NUL and empty': ['a\0b', '\0', '', '/', 'a//b', 'a/'],
	'reserved on Windows': ['CON', 'nul.txt', 'COM1', 'LPT9.tar.gz', 'aux', 'x:stream', 'a<b>|"?*', 'CONIN$', 'COM¹'],
	'dots and spaces at the end': ['dots...', 'space ', ' . ', '...', '. .'],
	'too long': ['n'.repeat(256), 'é'.repeat(200), `${'😀'.repeat(80)}.flac`, `x.${'e'.repeat(300)}`],
	'the same when normalised': ['caf\u00e9', 'cafe\u0301', '\u212bngstrom', '\u00c5ngstrom', 'A\u030angstrom'],
	'the same but for case': ['Readme', 'README', 'readme', 'STRASSE', 'strasse'],
	'terminal escapes': [
		'\u001b[2Jgone',
		'\u001b]0;title\u0007x',
		'\u009b31mred',
		'a\rb',
		'a\nb',
		'\u001b]8;;http://x\u0007y',
		'bell\u0007',
		'back\b\b\b',
		'\u0090q\u009c',
	],
	'bidi and invisible': [
		'gpj.\u202eexe',
		'\u2066a\u2069',
		'zero\u200bwidth',
		'tag\u{e0041}',
		'\u2028line',
		'soft\u00adhyphen',
		'\ufeffbom',
	],
	'not Unicode': ['\ud800', 'a\udc00b'],
	'hidden and special': [
		'.p2p-tui',
		'.p2p-tui/x.part',
		'.bashrc',
		'-rf',
		'--help',
		'$(id)',
		'`id`',
		'%s%n',
		'a;b',
		'.lock',
	],
};

/** All of them. */
export const allEvilNames = Object.values(evilNames).flat();

/** What a terminal may obey or be fooled by. A line feed is none in a list of lines. */
export const rawEscapes =
	/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e007f}]/u;
