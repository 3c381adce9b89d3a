import type { KeyObject } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { billingRoutes, myUsageRoutes } from './billing/index.ts';
import { commissioningRoutes } from './commissioning/index.ts';
import { faultRoutes, loadRules } from './faults/index.ts';
import { commandRoutes, fleetRoutes, thingRoutes } from './fleet/index.ts';
import {
  auditRoutes,
  apiKeyRoutes,
  apiKeys,
  createLinkHolders,
  createOidc,
  displayTokens,
  createPeopleAdmin,
  identityRoutes,
  invitationRoutes,
  linkRoutes,
  oidcRoutes,
  type Passwords,
  passwordLinkRoutes,
  peopleRoutes,
  privacyRoutes,
  providerRoutes,
  type SecondFactorRule,
  securityRoutes,
  type SessionKeeper,
  sessions,
} from './identity/index.ts';
import { importRoutes } from './imports/index.ts';
import { handoverRoutes, usagePointsOf } from './metering/index.ts';
import { placeRecordRoutes, placeRoutes } from './places/index.ts';
import { actorOf } from './platform/access.ts';
import type { ChangeHub } from './platform/changes.ts';
import { changeRoutes } from './platform/changes-route.ts';
import type { Now, Wait } from './platform/clock.ts';
import { type Db, withActor } from './platform/db.ts';
import type { NewId } from './platform/ids.ts';
import type { Secrets } from './platform/secrets.ts';
import { claimRoutes, codeRoutes, configRoutes, gatewayRoutes, mappingRoutes } from './provisioning/index.ts';
import { pointsWithReadings, reportRoutes, telemetryRoutes } from './telemetry/index.ts';
import { sheetKinds } from './sheet-kinds.ts';
import { tenancyRecordRoutes, tenancyRoutes, tenants } from './tenancy/index.ts';
import { updateRoutes } from './updates/index.ts';
import { webhookRoutes } from './webhooks/index.ts';
import { workOrderRoutes } from './workorders/index.ts';

export interface ApiDeps {
  /** As parkline_app. */
  readonly db: Db;
  readonly now: Now;
  readonly wait: Wait;
  readonly newId: NewId;
  readonly passwords: Passwords;
  readonly keeper: SessionKeeper;
  readonly setupTokenSha256?: string | undefined;
  /** Resolves when the broker is first reached. */
  readonly nats: Promise<NatsConnection>;
  readonly changes: ChangeHub;
  readonly secrets: Secrets;
  readonly secondFactor: SecondFactorRule;
  readonly publicUrl?: string | undefined;
  /** Where people reach the portal, also where `publicUrl` is left out. */
  readonly portalUrl: string;
  /** Of those who make releases of the gateways' program. */
  readonly releaseKeys?: readonly KeyObject[] | undefined;
  /** Address of the message server as gateways reach it. */
  readonly gatewayNatsUrl: string;
  /** Hosts that identity providers may be at although they are not public. */
  readonly oidcAllowHosts?: ReadonlySet<string>;
  /** For development: webhooks may go to this machine and its networks. */
  readonly allowPrivateWebhooks?: boolean;
}

/** Who is told that a list changed: whoever may read it. */
const topicPermissions = {
  faults: 'fault.read',
  'work-orders': 'workorder.read',
  settings: 'workorder.read',
  commands: 'command.read',
} as const;

/** Every route of the API, slice by slice. */
export function apiPlugins(deps: ApiDeps): FastifyPluginAsync[] {
  const { db, now, newId, passwords, keeper, setupTokenSha256, nats, changes } = deps;
  const nameOfTenant = tenants.nameOf;
  const peopleAdmin = createPeopleAdmin({ db, now, newId, nameOfTenant });
  const { secrets, portalUrl: publicUrl, oidcAllowHosts: allowHosts } = deps;
  const oidc = createOidc({ db, now, newId, secrets, publicUrl, allowHosts });
  const https = deps.portalUrl.startsWith('https:');
  const holders = createLinkHolders({ db, now, newId, passwords });
  const isLoggedIn = (request: FastifyRequest): Promise<boolean> => {
    const actor = actorOf(request);
    const tokens = { api_key: apiKeys, display: displayTokens, session: sessions }[actor.by];
    return withActor(db, actor, (trx) => tokens.isAlive(trx, actor.accountId, actor.sessionId, now()));
  };
  return [
    inSlice(
      'identity',
      identityRoutes({ db, now, newId, passwords, sessions: keeper, setupTokenSha256, nameOfTenant }),
    ),
    inSlice('identity', securityRoutes({ ...deps, rule: deps.secondFactor })),
    inSlice('identity', auditRoutes({ db })),
    inSlice('identity', peopleRoutes(peopleAdmin)),
    inSlice('identity', passwordLinkRoutes(peopleAdmin)),
    inSlice('identity', invitationRoutes(peopleAdmin)),
    inSlice('identity', privacyRoutes(peopleAdmin)),
    inSlice('identity', oidcRoutes({ db, now, oidc, sessions: keeper, https })),
    inSlice('identity', providerRoutes({ db, now, newId, oidc, secrets: deps.secrets })),
    inSlice('identity', linkRoutes({ holders, sessions: keeper, now, wait: deps.wait })),
    inSlice('identity', apiKeyRoutes({ db, now, newId })),
    inSlice('webhooks', webhookRoutes({ ...deps, allowPrivate: deps.allowPrivateWebhooks ?? false })),
    inSlice('imports', importRoutes({ db, now, newId, kinds: sheetKinds })),
    inSlice('places', placeRoutes({ db })),
    inSlice('places', placeRecordRoutes({ db, now, newId })),
    inSlice('tenancy', tenancyRoutes({ db, now })),
    inSlice('tenancy', tenancyRecordRoutes({ db, now, newId, usagePointsOf })),
    inSlice('metering', handoverRoutes({ db, now })),
    inSlice('fleet', fleetRoutes({ db, now })),
    inSlice('fleet', commandRoutes({ db, now, newId })),
    inSlice('fleet', thingRoutes({ ...deps, withReadings: pointsWithReadings })),
    inSlice('provisioning', claimRoutes(deps)),
    inSlice('provisioning', gatewayRoutes(deps)),
    inSlice('provisioning', codeRoutes(deps)),
    inSlice('provisioning', configRoutes(deps)),
    inSlice('provisioning', mappingRoutes(deps)),
    inSlice('updates', updateRoutes(deps)),
    inSlice('telemetry', telemetryRoutes({ db, now, nats, isLoggedIn })),
    inSlice('telemetry', reportRoutes({ db })),
    inSlice('faults', faultRoutes({ db, now, newId, rules: loadRules() })),
    inSlice('commissioning', commissioningRoutes({ db, now, newId })),
    inSlice('workorders', workOrderRoutes({ db, now, newId })),
    inSlice('platform', changeRoutes({ hub: changes, permissions: topicPermissions, isLoggedIn })),
    inSlice('billing', myUsageRoutes({ db, now })),
    inSlice('billing', billingRoutes({ db })),
  ];
}

/** Names the slice in the description of the API. */
const inSlice =
  (slice: string, plugin: FastifyPluginAsync): FastifyPluginAsync =>
  async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, slice };
    });
    await scope.register(plugin);
  };
