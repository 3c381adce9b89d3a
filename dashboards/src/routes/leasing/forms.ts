import { type ContactKind, contactKinds, type Space, type Tenant } from '@parkline/contract';
import {
  namedBody,
  namedFields,
  namedText,
  namedTitle,
  type RecordFormOf,
  typedIn as of,
} from '#lib/area/record-form.ts';
import type { Translator } from '#lib/i18n/translator.ts';

const orNull = (text: string): string | null => (text === '' ? null : text);

export const tenantForm = (text: Translator): RecordFormOf<'tenants'> => ({
  name: 'tenants',
  fields: namedFields(text),
  empty: {},
  textOf: namedText,
  bodyOf: namedBody,
  titleOf: (tenant) => namedTitle(text, tenant),
});

export const contactForm = ({ t }: Translator, tenantId: string): RecordFormOf<'contacts'> => ({
  name: 'contacts',
  fields: [
    { name: 'name', label: t('leasing.contactName'), required: true, hint: t('leasing.personal') },
    {
      name: 'kind',
      label: t('leasing.kind'),
      options: contactKinds.map((value) => ({ value, label: t(`contactKind.${value}`) })),
    },
    { name: 'phone', label: t('leasing.phone'), type: 'tel' },
    { name: 'mail', label: t('leasing.mail'), type: 'email' },
    { name: 'key', label: t('record.key'), hint: t('record.keyHint'), required: true },
  ],
  empty: { kind: 'general' },
  textOf: ({ key, kind, name, phone, mail }) => ({ key, kind, name, phone: phone ?? '', mail: mail ?? '' }),
  bodyOf: (typed) => ({
    ...{ tenantId, key: of(typed, 'key'), name: of(typed, 'name'), kind: of(typed, 'kind') as ContactKind },
    ...{ phone: orNull(of(typed, 'phone')), mail: orNull(of(typed, 'mail')) },
  }),
  titleOf: ({ name }) => name,
});

/** Spaces are typed as their ids, parted by commas: `spaceIds` of the form is filled by a list of boxes. */
export const leaseForm = ({ t }: Translator, tenants: readonly Tenant[]): RecordFormOf<'leases'> => ({
  name: 'leases',
  fields: [
    { name: 'key', label: t('record.key'), hint: t('record.keyHint'), required: true },
    {
      name: 'tenantId',
      label: t('leasing.tenant'),
      options: [{ value: '', label: '' }, ...tenants.map(({ id, name }) => ({ value: id, label: name }))],
      required: true,
    },
    { name: 'from', label: t('leasing.from'), type: 'date', required: true },
    { name: 'to', label: t('leasing.to'), type: 'date' },
    { name: 'headcount', label: t('leasing.headcount'), type: 'number' },
  ],
  empty: {},
  textOf: ({ key, tenantId, spaceIds, from, to, headcount }) => ({
    ...{ key, tenantId, from, to: to ?? '', headcount: String(headcount ?? '') },
    spaceIds: spaceIds.join(','),
  }),
  bodyOf: (typed) => ({
    ...{ key: of(typed, 'key'), tenantId: of(typed, 'tenantId'), from: of(typed, 'from') },
    ...{ to: orNull(of(typed, 'to')), spaceIds: of(typed, 'spaceIds').split(',').filter(Boolean) },
    headcount: of(typed, 'headcount') === '' ? null : Number(of(typed, 'headcount')),
  }),
  titleOf: ({ key }) => t('leasing.lease', { key }),
});

/** Spaces that a lease can be about: those that can be let, and those that it has. Pure. */
export const offeredSpaces = (
  spaces: readonly Space[],
  held: readonly string[],
  isLettable: (space: Space) => boolean,
): Space[] => spaces.filter((space) => isLettable(space) || held.includes(space.id));
