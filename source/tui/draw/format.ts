// Numbers and times as the columns show them.
import {shortBytes} from '../../core/format.ts';

const integer = new Intl.NumberFormat('en-US', {maximumFractionDigits: 0});

/** A count with its thousands set apart: `1,204,331`. */
export function grouped(value: number): string {
	return integer.format(value);
}

/** A count in at most `width` cells: `8,211`, and where that is too long `1.2M`. */
export function countIn(value: number, width: number): string {
	const whole = grouped(value);
	return whole.length <= width ? whole : shortBytes(value).replace('B', '');
}

/** Bytes a second in at most seven characters: `9.8M/s`; nothing moves: `0B/s`. */
export function speed(bytesPerSecond: number): string {
	return `${shortBytes(bytesPerSecond)}/s`;
}

/** Time of day: `12:05:00`, in the machine's own zone. */
export function clock(unixMilliseconds: number): string {
	const time = new Date(unixMilliseconds);
	const two = (value: number) => String(value).padStart(2, '0');
	return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** A date and minute: `2026-03-01 12:05`; an empty text where there is none. */
export function day(iso: string): string {
	const time = new Date(iso);
	if (Number.isNaN(time.getTime())) return '';
	const two = (value: number) => String(value).padStart(2, '0');
	return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** A round trip: `72ms`, `<1ms`; `–` when it was not measured. */
export function roundTrip(milliseconds: number | undefined): string {
	if (milliseconds === undefined) return '-';
	return milliseconds < 1 ? '<1ms' : `${Math.round(milliseconds)}ms`;
}

/** How long something runs: `2:14:09`, `3d 02:14`. */
export function uptime(seconds: number): string {
	const whole = Math.max(0, Math.floor(seconds));
	const two = (value: number) => String(value).padStart(2, '0');
	const hours = Math.floor(whole / 3600);
	const minutes = two(Math.floor((whole % 3600) / 60));
	if (hours >= 24) return `${Math.floor(hours / 24)}d ${two(hours % 24)}:${minutes}`;
	return `${hours}:${minutes}:${two(whole % 60)}`;
}
