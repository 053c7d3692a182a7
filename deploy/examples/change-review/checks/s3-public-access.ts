import type { Change, Check, Finding } from './check.ts'

const SETTINGS =
  /^\s*(block_public_acls|block_public_policy|ignore_public_acls|restrict_public_buckets)\s*=\s*false\b/
const RESOURCE = /resource\s+"aws_s3_bucket_public_access_block"/

/** A setting of the S3 public access block is switched off, or the whole block is taken away. */
export const s3PublicAccess: Check = (change: Change) =>
  change.files.flatMap((file) => {
    const found: Finding[] = file.added
      .filter(({ text }) => SETTINGS.test(text))
      .map((line) => finding(file.path, line.number, line.text.trim()))
    const dropped = file.removed.find((text) => RESOURCE.test(text))
    const kept = file.added.some(({ text }) => RESOURCE.test(text))
    return dropped === undefined || kept ? found : [...found, finding(file.path, 0, `- ${dropped.trim()}`)]
  })

function finding(file: string, line: number, evidence: string): Finding {
  return {
    check: 's3-public-access',
    standard: 'SEC-STD-01',
    severity: 'high',
    file,
    line,
    evidence,
    advice:
      'Keep all four settings of the public access block on; share objects with a bucket policy that names its principals.',
  }
}
