export { fallbackEventId } from './user-event/event-ids.js'
export {
  type AcceptedEvent,
  EVENT_TYPES,
  generateUserEvent,
  toSortableInstant,
  type UserEvent,
  userEventSchema,
} from './user-event/user-event.js'
