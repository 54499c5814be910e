export { topicsCreate } from './topics-create.ts';
export { topicsDescribe } from './topics-describe.ts';
export { topicsLs } from './topics-ls.ts';
export { topicsSend } from './topics-send.ts';
export { topicsTail } from './topics-tail.ts';
