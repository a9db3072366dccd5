/*
 * What `tsyringe`, on which `@peculiar/x509` is built, looks for when it is imported. It asks for the types of constructor
 * parameters, and none of its classes has any.
 */
Object.assign(Reflect, { getMetadata: () => undefined, getOwnMetadata: () => undefined });
