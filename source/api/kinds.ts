import {baseName} from '../core/share-path.ts';

/** What sort of thing a file is, by the ending of its name. */
export const fileKinds = ['audio', 'video', 'image', 'document', 'archive', 'code', 'other'] as const;
export type FileKind = (typeof fileKinds)[number];

const endings: Record<Exclude<FileKind, 'other'>, string> = {
	audio: 'aac ac3 aif aiff alac amr ape au dsf flac m4a m4b mid midi mka mp2 mp3 mpc oga ogg opus ra tta wav wma wv',
	video: '3gp asf avi divx f4v flv m2ts m4v mkv mov mp4 mpeg mpg mts ogm ogv rm rmvb ts vob webm wmv',
	image:
		'ai avif bmp cr2 cr3 dng eps gif heic heif ico jfif jpeg jpg jxl nef orf png psd raw rw2 svg svgz tga tif tiff webp xcf',
	document:
		'azw3 cbr cbz chm csv djvu doc docm docx epub fb2 htm html key md mobi numbers odp ods odt pages pdf ppt pptx ps rst rtf srt sub tex tsv txt vtt xls xlsm xlsx',
	archive:
		'7z apk ar bz2 cab cpio deb dmg gz img iso jar lha lz lz4 lzh lzma pkg rar rpm sit squashfs tar tbz tbz2 tgz txz vhd vhdx vmdk war whl xar xz z zip zst',
	code: 'asm awk bash bat c cc clj cmake cpp cs css cxx d dart diff el erl ex exs f90 fish go gradle h hh hpp hs ini ipynb java js json jsx kt kts less lisp lua m make mjs ml nim nix pas patch php pl pm proto ps1 py r rb rs s sass scala scss sh sol sql swift tcl toml tsx v vb vhd vue wasm xml yaml yml zig zsh',
};

const kindByExtension = new Map<string, FileKind>();
for (const [kind, list] of Object.entries(endings)) {
	for (const extension of list.split(' ')) {
		if (!kindByExtension.has(extension)) kindByExtension.set(extension, kind as FileKind);
	}
}

/** The ending of a file's name in lower case, without its dot; empty where there is none. `.bashrc` has none. */
export function extensionOf(path: string): string {
	const name = baseName(path);
	const dot = name.lastIndexOf('.');
	return dot > 0 && name.length - dot <= 17 ? name.slice(dot + 1).toLowerCase() : '';
}

/** The kind of a file of that name or path. */
export function kindOf(name: string): FileKind {
	return kindByExtension.get(extensionOf(name)) ?? 'other';
}
