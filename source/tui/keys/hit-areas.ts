// Which parts of the screen a click does something in, besides panes and tabs. Components tell where they drew them.
import type {Rect} from '../../store/layout.ts';

/** A part of the screen. `click` is given the cell within it. */
export type HitArea = {
	rect: Rect /** Part of what lies over the panes. */;
	isOver: boolean;
	click(x: number, y: number): void;
};

/** The parts that are on the screen now. */
export class HitAreas {
	readonly #areas = new Map<string, HitArea>();

	/** Puts a part where it is drawn now; undefined: it is gone. */
	set(id: string, area: HitArea | undefined): void {
		if (area) this.#areas.set(id, area);
		else this.#areas.delete(id);
	}

	/** Does what a click at a cell means. Returns whether there is something to click. */
	click(x: number, y: number, isOver: boolean): boolean {
		for (const {rect, click, isOver: lies} of this.#areas.values()) {
			if (lies !== isOver || x < rect.x || y < rect.y || x >= rect.x + rect.width || y >= rect.y + rect.height)
				continue;
			click(x - rect.x, y - rect.y);
			return true;
		}
		return false;
	}
}
