import { compareVersions, type ReleaseManifest } from '@parkline/contract';

/** Where a release is to run. */
export interface Installation {
  /** `<process.platform>-<process.arch>`. */
  readonly platform: string;
  /** Version of Node.js, without its v. */
  readonly node: string;
  /** What runs here. */
  readonly version: string;
  /** Highest version that was ever healthy here. */
  readonly highest: string;
}

/** Why a genuine release may not run here, for a person; undefined: it may. Pure. */
export function releaseFault(manifest: ReleaseManifest, here: Installation): string | undefined {
  const { version, platforms, minNode, predecessor, downgradeFrom } = manifest;
  if (!platforms.includes(here.platform))
    return `it is for ${platforms.join(', ')}, this gateway is ${here.platform}`;
  if (compareVersions(here.node, minNode) < 0)
    return `it needs Node.js ${minNode}, this gateway has ${here.node}`;
  if (compareVersions(version, here.highest) <= 0 && !downgradeFrom.includes(here.highest))
    return `${version} is not newer than ${here.highest}, which was healthy here, and does not say that it may go back`;
  if (predecessor.min !== null && compareVersions(here.version, predecessor.min) < 0)
    return `it follows ${predecessor.min} or newer, this gateway runs ${here.version}`;
  if (predecessor.max !== null && compareVersions(here.version, predecessor.max) > 0)
    return `it follows ${predecessor.max} or older, this gateway runs ${here.version}`;
  return undefined;
}
