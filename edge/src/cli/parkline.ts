// The command `parkline` of a gateway that runs from a bundle, without the repository around it.
import { runCli } from './main.ts';

process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  env: process.env,
  cwd: process.cwd(),
});
