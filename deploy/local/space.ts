import { diskOf } from './nats.ts';
import { StartError } from './options.ts';

const megabyte = 1024 ** 2;

/** A database that meets a full disk stops; refusing to start damages nothing. @throws StartError */
export async function assertSpace(folder: string, neededMegabytes: number): Promise<void> {
  const free = Math.floor((await diskOf(folder)).freeBytes / megabyte);
  if (free < neededMegabytes)
    throw new StartError(
      `the disk that holds ${folder} is full: ${free} MB are free and ${neededMegabytes} MB are needed`,
    );
}
