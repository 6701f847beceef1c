/** The command `tenantml` as one file, of which the image of the model server runs `serve`. */
import { main } from '../src/cli/main.ts';

process.exitCode = await main(process.argv.slice(2));
