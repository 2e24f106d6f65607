import { defineTopology, json, string } from '@millrace/streams'

/** A click on an ad; the key is the ad. */
export interface Click {
  readonly userId: string
}

/** A campaign an ad belongs to, as it is now; the key is the ad. */
export interface Campaign {
  readonly name: string
  readonly centsPerClick: number
}

/** A click with what its ad's campaign was at that moment. */
export interface EnrichedClick extends Click, Campaign {}

/** What a campaign costs so far. */
export interface CampaignTotal {
  readonly clicks: number
  readonly cents: number
}

/** Joins every click with its ad's campaign, and adds up what each campaign costs. */
export const enrichedClicks = defineTopology('enriched-clicks', (b) => {
  const campaigns = b.table('campaigns', { key: string(), value: json<Campaign>(), store: 'campaigns' })
  const { known, unknown } = b
    .stream('clicks', { key: string(), value: json<Click>() })
    .leftJoin(campaigns, (click, campaign) => ({ ...click, campaign }), {
      value: json<Click & { readonly campaign: Campaign | null }>()
    })
    .split({ known: ({ campaign }) => campaign !== null }, { default: 'unknown' })
  unknown.to('clicks-without-campaign')

  const enriched = known.mapValues(({ userId, campaign }) => ({ userId, ...(campaign ?? NO_CAMPAIGN) }), {
    value: json<EnrichedClick>()
  })
  enriched.to('enriched-clicks')
  enriched
    .groupBy(({ name }) => name, { name: 'by-campaign' })
    .aggregate(() => ({ clicks: 0, cents: 0 }), add, { value: json<CampaignTotal>(), store: 'campaign-totals' })
})

const NO_CAMPAIGN: Campaign = { name: 'none', centsPerClick: 0 }

function add({ centsPerClick }: EnrichedClick, { clicks, cents }: CampaignTotal): CampaignTotal {
  return { clicks: clicks + 1, cents: cents + centsPerClick }
}
