import { matchesGlob } from '../core/glob.js'
import type { NotifySettings } from './settings.js'

/** Whether a channel wants to hear of an event. */
export function wantsEvent(settings: NotifySettings[number], event: { type: string; reference: string }): boolean {
  const { events = ['*'], tags = ['*'] } = settings
  return events.some((glob) => matchesGlob(glob, event.type)) && tags.some((glob) => matchesGlob(glob, event.reference))
}

/** What a channel is called: its name, else where it goes. */
export function channelName(settings: NotifySettings[number]): string {
  return settings.name ?? new URL(settings.webhook).host
}
