/** One file of the diff of pull request 991, as `GET …/pulls/991/files` and the raw diff both show it. */
export interface ChangedFile {
  readonly filename: string
  readonly status: 'added' | 'modified'
  readonly patch: string
}

/**
 * The files of pull request 991 of zyx/platform-infra. Four of them hold what a bank's standard forbids (the
 * comment names it), the others are there so that a review which flags everything fails too.
 */
export const CHANGED_FILES_991: readonly ChangedFile[] = [
  {
    // S3 public access block disabled.
    filename: 'terraform/log-archive/s3.tf',
    status: 'modified',
    patch: `@@ -8,9 +8,9 @@ resource "aws_s3_bucket" "log_archive" {
 
 resource "aws_s3_bucket_public_access_block" "log_archive" {
   bucket = aws_s3_bucket.log_archive.id
 
-  block_public_acls       = true
-  block_public_policy     = true
+  block_public_acls       = false
+  block_public_policy     = false
   ignore_public_acls      = true
-  restrict_public_buckets = true
+  restrict_public_buckets = false
 }`,
  },
  {
    // IAM wildcard in actions and resources.
    filename: 'terraform/iam/migration-role.tf',
    status: 'added',
    patch: `@@ -0,0 +1,15 @@
+resource "aws_iam_role" "migration" {
+  name               = "q4-migration"
+  assume_role_policy = data.aws_iam_policy_document.migration_trust.json
+}
+
+data "aws_iam_policy_document" "migration" {
+  statement {
+    sid       = "Migration"
+    effect    = "Allow"
+    actions   = ["*"]
+    resources = ["*"]
+  }
+}
+
+# Removed once the migration is done.`,
  },
  {
    // SSH open to the world; 443 to the world is allowed for the public entry.
    filename: 'terraform/network/bastion.tf',
    status: 'modified',
    patch: `@@ -14,9 +14,17 @@ resource "aws_security_group" "bastion" {
 
   ingress {
     description = "SSH"
     from_port   = 22
     to_port     = 22
     protocol    = "tcp"
-    cidr_blocks = ["10.20.0.0/16"]
+    cidr_blocks = ["0.0.0.0/0"]
+  }
+
+  ingress {
+    description = "Status page"
+    from_port   = 443
+    to_port     = 443
+    protocol    = "tcp"
+    cidr_blocks = ["0.0.0.0/0"]
   }
 }`,
  },
  {
    // Retention lowered from a year to a week.
    filename: 'terraform/observability/cloudwatch.tf',
    status: 'modified',
    patch: `@@ -3,6 +3,6 @@
 resource "aws_cloudwatch_log_group" "audit" {
   name              = "/zyx/platform/audit"
-  retention_in_days = 365
+  retention_in_days = 7
   kms_key_id        = aws_kms_key.logs.arn
 }
 `,
  },
  {
    filename: 'terraform/network/dns.tf',
    status: 'modified',
    patch: `@@ -21,6 +21,6 @@ resource "aws_route53_record" "status" {
   name    = "status.zyx.example"
   type    = "CNAME"
-  ttl     = 3600
+  ttl     = 300
   records = ["status.edge.zyx.example"]
 }
 `,
  },
  {
    filename: 'docs/migrations/q4.md',
    status: 'added',
    patch: `@@ -0,0 +1,5 @@
+# Q4 migration
+
+Opens the bastion for the migration team and gives their role what it needs.
+
+Planned for the first week of December.`,
  },
]

export const PULL_BODY_991 = `Change ticket: CHG-18422

Prepares the platform for the Q4 migration:

- the log archive can be read by the partner's import job,
- the migration role can do its work,
- the migration team reaches the bastion from outside,
- the audit log group costs less.`

/** Lines that a patch adds and removes, as GitHub counts them. */
export function countLines(patch: string): { additions: number; deletions: number } {
  const lines = patch.split('\n')
  return {
    additions: lines.filter((line) => line.startsWith('+')).length,
    deletions: lines.filter((line) => line.startsWith('-')).length,
  }
}

/** The whole change in unified diff form (`Accept: application/vnd.github.diff`). */
export function unifiedDiff(files: readonly ChangedFile[]): string {
  return files
    .map(({ filename, status, patch }) => {
      const from = status === 'added' ? '/dev/null' : `a/${filename}`
      return `diff --git a/${filename} b/${filename}\n--- ${from}\n+++ b/${filename}\n${patch}\n`
    })
    .join('')
}
