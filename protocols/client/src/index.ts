export {
  type Ask,
  type Client,
  createClient,
  type ErrorBody,
  type Input,
  type Item,
  type ListId,
  type OperationId,
  type Reply,
  type Request,
} from './client.ts';
