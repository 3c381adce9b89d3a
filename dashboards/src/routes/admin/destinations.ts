import Boxes from '@lucide/svelte/icons/boxes';
import Building from '@lucide/svelte/icons/building-2';
import ClipboardCheck from '@lucide/svelte/icons/clipboard-check';
import Plug from '@lucide/svelte/icons/plug-zap';
import Router from '@lucide/svelte/icons/router';
import ScrollText from '@lucide/svelte/icons/scroll-text';
import Users from '@lucide/svelte/icons/users';

/** What is administered, in the order of the navigation; each opens to whoever holds one of its permissions. */
const destinations = [
  { name: 'people', icon: Users, permissions: ['person.read', 'person.tenant'] },
  { name: 'places', icon: Building, permissions: ['place.write', 'tenancy.write'] },
  { name: 'things', icon: Boxes, permissions: ['equipment.write'] },
  { name: 'gateways', icon: Router, permissions: ['gateway.read'] },
  { name: 'commissioning', icon: ClipboardCheck, permissions: ['commissioning.read'] },
  { name: 'integrations', icon: Plug, permissions: ['apikey.write', 'webhook.write'] },
  { name: 'audit', icon: ScrollText, permissions: ['audit.read'] },
] as const;

/** The destinations of somebody who holds `held`. Pure. */
export const destinationsFor = (held: readonly string[]) =>
  destinations.filter(({ permissions }) => permissions.some((permission) => held.includes(permission)));
