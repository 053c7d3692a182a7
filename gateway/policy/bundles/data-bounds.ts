/** Nesting of data and manifests; rules that read deeper are not written by people. */
export const MAX_DATA_DEPTH = 128

/** A hundred thousand agents have some two million values; memory ends before ten. */
export const MAX_DATA_VALUES = 10_000_000
