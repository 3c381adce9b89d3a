// Attempts to get in at all: with papers that are forged, stolen, changed, past their date or withdrawn.
import { encodeUser } from '@nats-io/jwt';
import { createAccount, createOperator, createUser, fromSeed } from '@nats-io/nkeys';
import { connect, jwtAuthenticator, nkeyAuthenticator } from '@nats-io/transport-node';
import { connectionOptions } from '../../cloud/src/platform/nats.ts';
import { edgeAccountJwt, gatewayJwt, publicKeyOf } from '../../cloud/src/provisioning/authority.ts';
import { readAuthorityKeys } from '../../cloud/src/provisioning/authority-keys.ts';
import { createSigner } from '../../cloud/src/provisioning/signer.ts';
import { letIn } from '../../deploy/nats/trust.ts';
import { type Attack, ATTACKER, DENIED, permission, type Stage, VICTIM } from './nats-stage.ts';

/** Whether a user of these papers gets in. */
async function entry(stage: Stage, jwt: string, seed: Uint8Array): Promise<string> {
  try {
    const nats = await connect({
      servers: stage.server.url,
      authenticator: jwtAuthenticator(jwt, seed),
      reconnect: false,
    });
    await nats.close();
    return 'let in';
  } catch (error) {
    return /authorization violation|authentication/i.test(String(error)) ? DENIED : String(error);
  }
}

const seedOf = (key: ReturnType<typeof createUser>): string => new TextDecoder().decode(key.getSeed());
const inAMonth = (): Date => new Date(Date.now() + 30 * 86_400_000);

export const papers: readonly Attack[] = [
  {
    attack: 'a JWT signed by a key of the attacker',
    expected: DENIED,
    run: async (stage) => {
      const user = createUser();
      const identity = { id: VICTIM, nkey: user.getPublicKey() };
      const jwt = await gatewayJwt(seedOf(createAccount()), stage.server.trust.parties, identity, inAMonth());
      return entry(stage, jwt, user.getSeed());
    },
  },
  {
    attack: 'a JWT of an account that the attacker made with an operator of its own',
    expected: DENIED,
    run: async (stage) => {
      const [user, account] = [createUser(), createAccount()];
      return entry(stage, await encodeUser('gw', user, account), user.getSeed());
    },
  },
  {
    attack: 'an account of the attacker handed to the server from a gateway',
    expected: DENIED,
    run: async (stage) => {
      const { parties } = stage.server.trust;
      const jwt = await edgeAccountJwt(seedOf(createOperator()), parties);
      return permission(stage, () => stage.attacker.nats.publish('$SYS.REQ.CLAIMS.UPDATE', jwt));
    },
  },
  {
    attack: "the victim's JWT without its seed",
    expected: DENIED,
    run: (stage) => entry(stage, stage.victim.jwt, stage.attacker.seed),
  },
  {
    attack: 'a JWT whose name was changed to the victim',
    expected: DENIED,
    run: (stage) => {
      const [head = '', body = '', signature = ''] = stage.attacker.jwt.split('.');
      const claims = Buffer.from(body, 'base64url').toString().replace(ATTACKER, VICTIM);
      return entry(
        stage,
        [head, Buffer.from(claims).toString('base64url'), signature].join('.'),
        stage.attacker.seed,
      );
    },
  },
  {
    attack: 'a JWT past its date',
    expected: DENIED,
    run: async (stage) => {
      const { seeds, parties } = stage.server.trust;
      const nkey = fromSeed(stage.attacker.seed).getPublicKey();
      const jwt = await gatewayJwt(
        seeds.edgeSigning,
        parties,
        { id: ATTACKER, nkey },
        new Date(Date.now() - 60_000),
      );
      return entry(stage, jwt, stage.attacker.seed);
    },
  },
  {
    attack: 'a JWT of a gateway that was thrown out',
    expected: `let in, then ${DENIED}`,
    run: async (stage) => {
      const user = createUser();
      const { trust, url } = stage.server;
      const gateway = { id: '0198c0de-0000-7000-8000-000000000003', publicNkey: user.getPublicKey() };
      const jwt = await letIn(trust, gateway, new Date());
      const before = await entry(stage, jwt, user.getSeed());
      const keysDir = trust.folders.provisioner;
      const system = await connect(connectionOptions({ url, credsDir: keysDir }, 'provisioner'));
      const signer = createSigner({ ...readAuthorityKeys(keysDir), system, now: () => new Date() });
      await signer.revoke(new Map([[user.getPublicKey(), new Date()]]));
      await system.close();
      return `${before}, then ${await entry(stage, jwt, user.getSeed())}`;
    },
  },
  {
    attack: 'an nkey without a JWT, and no key at all',
    expected: `${DENIED}, ${DENIED}`,
    run: async ({ server, attacker }) => {
      const tries = [{ authenticator: nkeyAuthenticator(attacker.seed) }, {}].map((options) =>
        connect({ servers: server.url, reconnect: false, ...options }).then(
          async (nats) => (await nats.close(), 'let in'),
          () => DENIED,
        ),
      );
      return (await Promise.all(tries)).join(', ');
    },
  },
  {
    attack: 'a gateway that calls itself by a wildcard, signed by the park itself',
    expected: 'not signed',
    run: ({ server: { trust } }) =>
      gatewayJwt(
        trust.seeds.edgeSigning,
        trust.parties,
        { id: '*', nkey: publicKeyOf(seedOf(createUser())) },
        inAMonth(),
      ).then(
        () => 'signed',
        () => 'not signed',
      ),
  },
];
