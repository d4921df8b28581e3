/** What the packager makes of this folder (scripts/lib/languages.mjs): each language is discovered by its file. */

/** Tags of the languages, and what each calls itself. */
declare module "meyasu:names" {
  export const names: Record<string, string>;
}

/** What the first view says. */
declare module "meyasu:first" {
  export const first: Record<string, () => Promise<{ messages: Record<string, string> }>>;
}

/** All other sentences. */
declare module "meyasu:later" {
  export const later: Record<string, () => Promise<{ messages: Record<string, string> }>>;
}

/** The guide; topics that a language lacks are in English and say so in `lang`. */
declare module "meyasu:guide" {
  export const guides: Record<string, () => Promise<{ guide: import("../guide/guide.js").Topic[] }>>;
}

/** What the frame of an embedded calculator is called. */
declare module "meyasu:frame-titles" {
  export const titles: Record<string, string>;
}
