/** The store of approvals cannot say, or cannot keep: whatever was to be allowed by an approval is not. */
export class ApprovalsUnavailable extends Error {
  constructor(cause: unknown) {
    super('the store of approvals does not answer', { cause })
    this.name = 'ApprovalsUnavailable'
  }
}
