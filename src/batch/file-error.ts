/** A file that could not be read or written. The message is for people: which file, and why. */
export class FileError extends Error {
  override readonly name = "FileError";
}

/** What the system says, in words. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such file or folder"],
  ["EACCES", "this user may not"],
  ["EPERM", "this user may not"],
  ["EISDIR", "it is a folder"],
  ["ENOTDIR", "a part of its path is no folder"],
  ["ENAMETOOLONG", "its name is too long"],
  ["EROFS", "the file system is read-only"],
  ["ENOSPC", "the disk is full"],
  ["EDQUOT", "the disk quota is used up"],
  ["EFBIG", "it would be too large"],
  ["EIO", "the disk does not work"],
  ["EMFILE", "too many files and connections are open; raise ulimit -n, or lower --concurrency"],
  ["ENFILE", "too many files are open on this machine"],
]);

/** Says of an error of the file system which file it was. Other errors stay what they are. */
export function fileError(error: unknown, doing: "read" | "write", path: string): unknown {
  if (!isSystemError(error)) return error;
  return new FileError(`cannot ${doing} ${path}: ${REASONS.get(error.code) ?? error.message}`, { cause: error });
}

/** Runs something with one file; its errors then say which file it was. */
export async function withFile<T>(doing: "read" | "write", path: string, run: () => Promise<T> | T): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw fileError(error, doing, path);
  }
}

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error;
}
