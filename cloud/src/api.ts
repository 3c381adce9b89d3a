import type { KeyObject } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { billingRoutes, myUsageRoutes } from './billing/index.ts';
import { commissioningRoutes } from './commissioning/index.ts';
import { faultRoutes, loadRules } from './faults/index.ts';
import { commandRoutes, fleetRoutes, thingRoutes } from './fleet/index.ts';
import {
  auditRoutes,
  accountRoutes,
  apiKeyRoutes,
  apiKeys,
  createLinkHolders,
  createOidc,
  displayTokens,
  createPeopleAdmin,
  identityRoutes,
  invitationRoutes,
  linkRoutes,
  mailRoutes,
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
import type { Chapter } from './platform/openapi-words.ts';
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
  /** Where mails become files; left out where a mail server takes them. */
  readonly mailFolder?: string | undefined;
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

/** Every route of the API. */
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
    inChapter(
      'Session',
      identityRoutes({ db, now, newId, passwords, sessions: keeper, setupTokenSha256, nameOfTenant }),
    ),
    inChapter('Own account', securityRoutes({ ...deps, rule: deps.secondFactor })),
    inChapter('Audit', auditRoutes({ db })),
    inChapter('Places', accountRoutes({ db, now })),
    inChapter('People', peopleRoutes(peopleAdmin)),
    inChapter('People', passwordLinkRoutes(peopleAdmin)),
    inChapter('People', invitationRoutes(peopleAdmin)),
    inChapter('People', mailRoutes({ folder: deps.mailFolder })),
    inChapter('People', privacyRoutes(peopleAdmin)),
    inChapter('Session', oidcRoutes({ db, now, oidc, sessions: keeper, https })),
    inChapter('Identity providers', providerRoutes({ db, now, newId, oidc, secrets: deps.secrets })),
    inChapter('Session', linkRoutes({ holders, sessions: keeper, now, wait: deps.wait })),
    inChapter('Keys and screens', apiKeyRoutes({ db, now, newId })),
    inChapter('Webhooks', webhookRoutes({ ...deps, allowPrivate: deps.allowPrivateWebhooks ?? false })),
    inChapter('Tables', importRoutes({ db, now, newId, kinds: sheetKinds })),
    inChapter('Places', placeRoutes({ db })),
    inChapter('Places', placeRecordRoutes({ db, now, newId })),
    inChapter('Tenancy', tenancyRoutes({ db, now })),
    inChapter('Tenancy', tenancyRecordRoutes({ db, now, newId, usagePointsOf })),
    inChapter('Tenancy', handoverRoutes({ db, now })),
    inChapter('Equipment', fleetRoutes({ db, now })),
    inChapter('Commands', commandRoutes({ db, now, newId })),
    inChapter('Equipment', thingRoutes({ ...deps, withReadings: pointsWithReadings })),
    inChapter('Gateways', claimRoutes(deps)),
    inChapter('Gateways', gatewayRoutes(deps)),
    inChapter('Gateways', codeRoutes(deps)),
    inChapter('Gateways', configRoutes(deps)),
    inChapter('Gateways', mappingRoutes(deps)),
    inChapter('Updates', updateRoutes(deps)),
    inChapter('Readings', telemetryRoutes({ db, now, nats, isLoggedIn })),
    inChapter('Gateways', reportRoutes({ db })),
    inChapter('Faults', faultRoutes({ db, now, newId, rules: loadRules() })),
    inChapter('Commissioning', commissioningRoutes({ db, now, newId })),
    inChapter('Work orders', workOrderRoutes({ db, now, newId })),
    inChapter('News', changeRoutes({ hub: changes, permissions: topicPermissions, isLoggedIn })),
    inChapter('Billing', myUsageRoutes({ db, now })),
    inChapter('Billing', billingRoutes({ db })),
  ];
}

/** Where the routes stand in the description of the API, unless one says itself. */
const inChapter =
  (chapter: Chapter, plugin: FastifyPluginAsync): FastifyPluginAsync =>
  async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, chapter };
    });
    await scope.register(plugin);
  };
