declare const brand: unique symbol

/** A string (or number) that has passed a parse, told apart from every other by its role. */
export type Branded<Base, Role extends string> = Base & { readonly [brand]: Role }
