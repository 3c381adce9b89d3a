/** The cloud asks the same question before it signs, and the portal before it sends: one answer for all. */
export {
  checkWrite,
  type WritablePoint,
  type WriteCheck,
  type WriteFault,
  type WriteWish,
} from '@parkline/contract';
