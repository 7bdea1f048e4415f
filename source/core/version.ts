declare const __VERSION__: string | undefined;

/** The program's version, put in by the build; `0.0.0-source` when run from the sources. */
export const version: string = typeof __VERSION__ === 'string' ? __VERSION__ : '0.0.0-source';
