/** @returns what puts the environment back as it is now: key by key, since a plain object in its place would not reach Node */
export function environmentKept(): () => void {
  const before = { ...process.env };
  return () => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  };
}
